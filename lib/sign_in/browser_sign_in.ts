/**
 * Sign-in in a browser on this machine, which comes back to a port of it: authorization code with PKCE
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow). For organisations that forbid device codes.
 *
 * @module
 */
import { type Http, interrupted } from "../graph/http.ts";
import type { Interaction } from "./interaction.ts";
import { GraphError } from "../errors.ts";
import { commandName } from "../commands.ts";

/** How long a person may take, in milliseconds: as long as a device code lives. */
const LONGEST_MS = 15 * 60 * 1000;
const RELEASE_MS = 5_000;
const PAGE =
  "<!doctype html><meta charset=utf-8><title>graph-scripts</title><p>You can close this page and go back to the terminal.";

/** How {@linkcode browserInteraction} works. */
export interface BrowserOptions {
  /** Shows the address to a person, who opens it in a browser of this machine. */
  show: (address: string) => void;
  http: Http;
  /** Origin that MSAL knows, and the one that the browser is sent to. */
  knownOrigin: string;
  loginOrigin: string;
}

/** Signs in through a browser. */
export function browserInteraction({ show, http, knownOrigin, loginOrigin }: BrowserOptions): Interaction {
  return async (app, { scopes, claims, loginHint }, signal) => {
    if (signal?.aborted) throw interrupted(signal);
    const ended = Promise.withResolvers<never>();
    let address: URL | undefined;
    const end = (error: unknown) => {
      ended.reject(error);
      if (address) release(http, address);
    };
    const onAbort = () => end(interrupted(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(() => end(nobodyCame()), LONGEST_MS);
    const flow = app.acquireTokenInteractive({
      scopes,
      ...(claims === undefined ? {} : { claims }),
      ...(loginHint === undefined ? { prompt: "select_account" } : { loginHint }),
      successTemplate: PAGE,
      errorTemplate: PAGE,
      openBrowser: (url) => {
        address = new URL(url.startsWith(knownOrigin) ? loginOrigin + url.slice(knownOrigin.length) : url);
        show(address.href);
        return Promise.resolve();
      },
    });
    flow.catch(() => {}); // its failure is reported through the race
    try {
      return await Promise.race([flow, ended.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  };
}

/** MSAL waits at its port until an answer comes, and closes it then: so it is given one. */
function release(http: Http, address: URL): void {
  const redirect = address.searchParams.get("redirect_uri");
  if (!redirect) return;
  const body = new URLSearchParams({
    error: "access_denied",
    error_description: "nobody waits any more",
    state: address.searchParams.get("state") ?? "",
  });
  http.detached(RELEASE_MS).send({
    method: "POST",
    url: redirect,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: body.toString(),
    retry: "never",
    secretUrl: true,
  }).then((answer) => answer.discard()).catch(() => {}); // the port ends with the process then
}

function nobodyCame(): GraphError {
  return new GraphError("signInNeeded", "sign-in: nobody signed in within 15 minutes", {
    code: "browserTimeout",
    hint: `start again with: ${commandName("whoami")} --sign-in browser`,
  });
}
