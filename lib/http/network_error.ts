/**
 * Errors of requests that got no complete response.
 *
 * @module
 */
import { GraphError, isGraphError } from "../errors.ts";
import { redact } from "./redact.ts";

/** The error of a request that failed without a complete response; `unavailable`, code `network`, in most cases. */
export function networkError(url: string, cause: unknown): GraphError {
  const { host } = new URL(url);
  if (cause instanceof Deno.errors.NotCapable) {
    return new GraphError("refused", `this program may not connect to ${host}`, {
      code: "notCapable",
      subject: host,
    });
  }
  if (isGraphError(cause)) return cause.withMessage(`${host}: ${cause.message}`);
  return new GraphError("unavailable", `cannot reach ${host}: ${describeFailure(cause)}`, {
    code: "network",
    hint:
      "check the network; behind a proxy or a company certificate, see HTTPS_PROXY, NO_PROXY and DENO_TLS_CA_STORE=system",
    cause,
  });
}

/** Deno keeps the reason of `fetch failed` in the cause; the texts of both may hold the URL, which may be a secret. */
export function describeFailure(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error && texts.length < 4; at = at.cause) {
    texts.push(at.message);
  }
  const text = texts.join(": ").replace(/\s*\(?https?:\/\/[^\s)]*\)?/g, "")
    .replace(/error sending request( for url)?:?\s*/g, "");
  return redact(text) || "connection failed";
}
