/**
 * How a user signs in: with a code that is typed into a browser on any machine, or in a browser on this machine.
 *
 * @module
 */
import { toSignInError } from "./aadsts.ts";
import { createPkce, type Msal, type TokenRequest, toLoginOrigin } from "./msal.ts";
import { interruptedError, throwIfAborted } from "../abort.ts";
import { GraphError } from "../errors.ts";
import type { Settings } from "../settings.ts";

/** How long the user may take in the browser, in milliseconds: as long as a device code lives. */
const MAX_MS = 15 * 60 * 1000;
/** A redirect with a code has some KiB. */
const MAX_BODY_BYTES = 64 * 1024;
/** How long a browser may take to read its last page, in milliseconds. */
const LAST_PAGE_MS = 1_000;
const PAGE =
  "<!doctype html><meta charset=utf-8><title>graph-scripts</title><p>You can close this page and go back to the terminal.";

/** Lets the user sign in. Throws what MSAL throws, and `interrupted` as soon as the signal is aborted. */
export type Interaction = (
  app: Msal.PublicClientApplication,
  request: TokenRequest,
  loginHint: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<Msal.AuthenticationResult | null>;

/** What the user needs in order to sign in with a device code. */
export interface DeviceCode {
  /** The instruction in the words of the service. */
  message: string;
  /** The code to type. */
  userCode: string;
  /** The page to type it into. */
  verificationUri: string;
  /** How long both are valid. */
  expiresInSeconds: number;
}

/** The text to show; the code has a line of its own, where it is easily copied. */
export function deviceCodeText({ message, userCode, expiresInSeconds }: DeviceCode, now: number): string {
  const until = new Date(now + expiresInSeconds * 1000);
  const time = [until.getHours(), until.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  return `${message}\nThe code, valid until ${time}:\n${userCode}`;
}

/**
 * Signs in with a device code, which `show` presents to the user
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code).
 */
export function deviceCodeInteraction(show: (code: DeviceCode) => void): Interaction {
  return async (app, tokenRequest, _loginHint, signal) => {
    const request: Msal.DeviceCodeRequest = {
      ...tokenRequest,
      deviceCodeCallback: ({ message, userCode, verificationUri, expiresIn }) =>
        show({ message, userCode, verificationUri, expiresInSeconds: expiresIn }),
    };
    try {
      return await unlessAborted(app.acquireTokenByDeviceCode(request), signal);
    } finally {
      request.cancel = true; // after an abort, MSAL stops at its next poll
    }
  };
}

/**
 * Signs in through a browser: authorization code with PKCE, for organizations that forbid device codes
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow, PROTOCOL 13.6a). MSAL's own listener is not used: a request
 * for `//` ends the whole process there, and its port stays open after an aborted sign-in.
 */
export function browserInteraction(show: (address: string) => void, settings: Settings): Interaction {
  return async (app, tokenRequest, loginHint, signal) => {
    const { verifier, challenge } = await createPkce();
    const state = crypto.randomUUID();
    await using listener = listenForRedirect(state);
    const request = { ...tokenRequest, redirectUri: listener.redirectUri };
    const address = await app.getAuthCodeUrl({
      ...request,
      ...(loginHint === undefined ? { prompt: "select_account" } : { loginHint }),
      state,
      responseMode: "form_post",
      codeChallenge: challenge,
      codeChallengeMethod: "S256",
    });
    throwIfAborted(signal);
    show(toLoginOrigin(address, settings));
    const fields = await unlessAborted(listener.fields, signal);
    const [code, error] = [fields.get("code"), fields.get("error")];
    if (error !== null || !code) {
      const description = fields.get("error_description") ?? "";
      throw toSignInError({ error: error ?? "invalidAnswer", error_description: description });
    }
    const clientInfo = fields.get("client_info") ?? "";
    return await app.acquireTokenByCode({ ...request, code, codeVerifier: verifier, clientInfo });
  };
}

/** Waits for the user, which cannot be canceled; throws `interrupted` as soon as the signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  promise.catch(() => {}); // after an abort its failure is of no interest
  throwIfAborted(signal);
  const aborted = new Promise<never>((_, reject) =>
    signal?.addEventListener("abort", () => reject(interruptedError(signal)), { once: true })
  );
  return await Promise.race([promise, aborted]);
}

/**
 * Opens a port on loopback for the redirect of one sign-in. Other requests, from pages that try all ports or programs of
 * other users, do not disturb it: they lack the `state`, which only the service and the user's browser know.
 */
function listenForRedirect(state: string) {
  const { promise: fields, resolve, reject } = Promise.withResolvers<URLSearchParams>();
  const expired = "sign-in: not completed within 15 minutes";
  const timeout = setTimeout(
    () => reject(new GraphError("signInNeeded", expired, { code: "browserTimeout" })),
    MAX_MS,
  );
  const stop = new AbortController();
  const headers = { connection: "close" };
  const onError = () => new Response(null, { status: 400, headers });
  const options = { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {}, onError };
  const server = Deno.serve(options, async (request) => {
    const redirect = await readRedirect(request, hosts, state);
    if (!redirect) return onError();
    resolve(redirect);
    return new Response(PAGE, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } });
  });
  const { port } = server.addr;
  const hosts = [`localhost:${port}`, `127.0.0.1:${port}`];
  return {
    redirectUri: `http://localhost:${port}`, // as registered for the app; the service ignores the port
    /** Of the first redirect with the right state. */
    fields,
    async [Symbol.asyncDispose]() {
      clearTimeout(timeout);
      // A silent connection would keep the port, and the process, alive.
      const timer = setTimeout(() => stop.abort(), LAST_PAGE_MS);
      await Promise.race([server.shutdown(), server.finished]);
      clearTimeout(timer);
    },
  };
}

/** Reads the fields of a redirect; `undefined` where the request is something else. */
async function readRedirect(request: Request, hosts: readonly string[], state: string) {
  const { host, pathname } = new URL(request.url);
  const isOurs = request.method === "POST" && pathname === "/" && hosts.includes(host); // other hosts: DNS rebinding
  if (!isOurs || !(Number(request.headers.get("content-length") ?? NaN) <= MAX_BODY_BYTES)) return undefined;
  const fields = new URLSearchParams(await request.text());
  const isRedirect = fields.get("state") === state && (fields.has("code") || fields.has("error"));
  return isRedirect ? fields : undefined;
}
