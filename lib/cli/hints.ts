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

const NO_PROGRESS = "check the network, or wait longer with --max-wait; then run the same command again";

/** By error code, or `http` and the status of a response. Applies where the library gives no hint of its own. */
const HINTS: Readonly<Record<string, string | ((error: GraphError) => string)>> = {
  http401: `sign in again with: ${commandName("whoami")}`,
  http404: `check it with: ${commandName("ls")}`,
  http409: "choose with --conflict replace or --conflict rename",
  http413: `use ${commandName("put-large")}`,
  noOneDrive:
    "it needs a license, and one visit in the browser; a guest has it in another tenant (--tenant); for files of a team use --site or GRAPH_SITE",
  noProgress: NO_PROGRESS,
  noSharePoint:
    "the tenant that you are signed in to has no SharePoint or OneDrive for you; as a guest of another one, choose it with --tenant or GRAPH_TENANT_ID",
  noSites: "leave out --site and GRAPH_SITE for its own OneDrive, or choose a work account with --account",
  notCapable: ({ subject: host }) => `run it with --allow-net=${host} as well, if you trust that host`,
  siteNotFound: ({ subject: path = "" }) =>
    `look for its name with: ${commandName("ls")} --sites ${path.split("/").at(-1)}`,
  stalled: NO_PROGRESS,
};

/** The error with the hint for its code, or else for its status, where it has none. */
export function withHint(error: GraphError): GraphError {
  if (error.hint !== undefined) return error;
  const key = [error.code, `http${error.status}`].find((key) => Object.hasOwn(HINTS, key));
  const known = key === undefined ? undefined : HINTS[key]!;
  const hint = typeof known === "function" ? known(error) : known;
  return hint === undefined ? error : error.withMessage(error.message, { hint });
}
