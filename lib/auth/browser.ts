/**
 * Sign-in in a browser on this machine, which comes back to a port of it: authorization code with PKCE
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow). For organisations that forbid device codes.
 *
 * @module
 */
import { toSignInError } from "./aadsts.ts";
import { listenForRedirect } from "./redirect_listener.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError } from "../errors.ts";
import { interruptedError } from "../abort.ts";
import type { Interaction } from "./interaction.ts";

/** How long a person may take, in milliseconds: as long as a device code lives. */
const MAX_MS = 15 * 60 * 1000;

/** How {@linkcode browserInteraction} works. */
export interface BrowserOptions {
  /** Shows the address to a person, who opens it in a browser of this machine. */
  show: (address: string) => void;
  /** Origin that MSAL knows, and the one that the browser is sent to. */
  knownOrigin: string;
  loginOrigin: string;
}

/**
 * Signs in through a browser. MSAL makes the address and redeems the code; its own port is not used: a request for `//`
 * ends the whole process there, and a port whose sign-in was given up stays open.
 */
export function browserInteraction({ show, knownOrigin, loginOrigin }: BrowserOptions): Interaction {
  return async (app, { scopes, claims, loginHint }, signal) => {
    if (signal?.aborted) throw interruptedError(signal);
    const { CryptoProvider } = await import("@azure/msal-node");
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const state = crypto.randomUUID();
    await using port = listenForRedirect(state);
    const request = { scopes, redirectUri: port.redirectUri, ...(claims === undefined ? {} : { claims }) };
    const address = await app.getAuthCodeUrl({
      ...request,
      ...(loginHint === undefined ? { prompt: "select_account" } : { loginHint }),
      state,
      responseMode: "form_post",
      codeChallenge: challenge,
      codeChallengeMethod: "S256",
    });
    if (signal?.aborted) throw interruptedError(signal);
    show(address.startsWith(knownOrigin) ? loginOrigin + address.slice(knownOrigin.length) : address);
    const answer = await inTime(port.answer, signal);
    const [code, error] = [answer.get("code"), answer.get("error")];
    if (error !== null || !code) {
      const description = answer.get("error_description") ?? "";
      throw toSignInError({ error: error ?? "invalidAnswer", error_description: description });
    }
    const clientInfo = answer.get("client_info") ?? "";
    return await app.acquireTokenByCode({ ...request, code, codeVerifier: verifier, clientInfo });
  };
}

/** The answer, or why nobody waits for it any more. */
async function inTime<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(interruptedError(signal));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => ended.reject(nobodyCame()), MAX_MS);
  try {
    return await Promise.race([answer, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function nobodyCame(): GraphError {
  return new GraphError("signInNeeded", "sign-in: nobody signed in within 15 minutes", {
    code: "browserTimeout",
    hint: `start again with: ${commandName("whoami")} --sign-in browser`,
  });
}
