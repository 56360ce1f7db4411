/**
 * What to type next. Errors of the library say what is wrong; flags and command names are added here.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";

/** `scripts/whoami.ts`, or `graph-whoami` in a compiled program: bare `whoami` is the operating system's. */
export function commandName(script: "whoami" | "ls" | "put-large"): string {
  return Deno.build.standalone ? `graph-${script}` : `scripts/${script}.ts`;
}

const WHOAMI = commandName("whoami");
const BROWSER = `${WHOAMI} --sign-in browser`;

const CODE_EXPIRED =
  `start again with: ${WHOAMI}; if the browser showed 53003, a policy forbids device codes: ask your administrator`;

/** By error code. Applies where the library gives no hint of its own. */
const HINTS: Readonly<Record<string, string | ((error: GraphError) => string)>> = {
  ...Object.fromEntries([50005, 50097, 50129, 50131, 53000, 53001].map((number) => [
    `AADSTS${number}`,
    `try a browser on a managed device: ${BROWSER}; otherwise ask for an exception for this app (for the administrator)`,
  ])),
  AADSTS53003:
    `if it is against device codes, try: ${BROWSER}; otherwise ask your administrator to look at the sign-in log, tab Conditional Access, for the correlation id (for the administrator)`,
  AADSTS70018: CODE_EXPIRED,
  AADSTS70019: CODE_EXPIRED,
  AADSTS70020: CODE_EXPIRED,
  accountNotFound: "choose one of them, or use --all",
  ambiguousAccount: "choose one with --account or GRAPH_ACCOUNT",
  browserTimeout: `start again with: ${BROWSER}`,
  expired_token: CODE_EXPIRED,
  notSignedIn: ({ subject }) =>
    `sign in once, in a terminal, with: ${WHOAMI}${subject === undefined ? "" : ` --account ${subject}`}`,
  otherAccount: ({ subject }) => `sign in again with the right account, or use --account ${subject}`,
  signInFailed: "run the same command with --verbose",
  tokenRefused: `get a new token for Microsoft Graph, or unset it and sign in with: ${WHOAMI}`,
};

/** The error with the hint for its code, where it has none. */
export function withHint(error: GraphError): GraphError {
  if (error.hint !== undefined) return error;
  const known = Object.hasOwn(HINTS, error.code) ? HINTS[error.code] : undefined;
  const fallback = error.kind === "signInNeeded" ? `sign in again with: ${WHOAMI}` : undefined;
  const hint = typeof known === "function" ? known(error) : known ?? fallback;
  return hint === undefined ? error : error.withMessage(error.message, { hint });
}
