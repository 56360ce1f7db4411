/**
 * What to type next. Errors of the library say what is wrong; flags and command names are added here.
 *
 * @module
 */
import type { FailureKind, GraphError } from "../errors.ts";
import { shellQuoted } from "../local/private_file.ts";
import { commandName } from "./program.ts";

const WHOAMI = commandName("whoami");
const BROWSER = `${WHOAMI} --sign-in browser`;
const CODE_EXPIRED =
  `start again with: ${WHOAMI}; if the browser showed 53003, a policy forbids device codes: ask your administrator`;
const CONFLICT = "choose with --conflict replace or --conflict rename";
const NO_PROGRESS = "check the network, or wait longer with --max-wait; then run the same command again";

/** By error code, or `http` and the status of a response. Applies where the library gives no hint of its own. */
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
  ambiguousAccount: "choose one with --account or GRAPH_ACCOUNT",
  browserTimeout: `start again with: ${BROWSER}`,
  description: "leave out --description",
  expired_token: CODE_EXPIRED,
  folderNotFound: `check it with: ${commandName("ls")}, or make it with: ${commandName("put")} --parents`,
  folderToUpload: "use put -r for a folder and its contents",
  http404: `check it with: ${commandName("ls")}`,
  http409: CONFLICT,
  internal: "this is a defect of the toolkit; run it with --verbose and report what it prints",
  interrupted: "run the same command again",
  localExists: "use --conflict replace or --conflict skip, or give another DEST",
  localLonger: "it is not a prefix of that file: use --conflict replace, or give another DEST",
  localReplaced: "look at it; --conflict replace replaces it",
  nameAlreadyExists: CONFLICT,
  noLocalFolder: ({ subject = "" }) =>
    `create it first: ${Deno.build.os === "windows" ? "mkdir" : "mkdir -p"} ${
      shellQuoted(subject)
    }; several files need an existing folder as the last argument`,
  noOneDrive:
    "it needs a license, and one visit in the browser; a guest has it in another tenant (--tenant); for files of a team use --site or GRAPH_SITE",
  noProgress: NO_PROGRESS,
  noSharePoint:
    "the tenant that you are signed in to has no SharePoint or OneDrive for you; as a guest of another one, choose it with --tenant or GRAPH_TENANT_ID",
  noSites: "leave out --site and GRAPH_SITE for its own OneDrive, or choose a work account with --account",
  noSuchUpload: `list them with: ${commandName("put-large")} --list`,
  noMatch: "write wildcards in quotes: * and ? match within a name, ** any number of folders",
  NotCapable: grantHint,
  notCapable: ({ subject: host }) => `run it with --allow-net=${host} as well, if you trust that host`,
  notCached: "download it, once, with: deno task cache",
  notCommitted: `look with ${commandName("ls")} in a minute; if it is not there, run the same command again`,
  notSignedIn: ({ subject }) =>
    `sign in once, in a terminal, with: ${WHOAMI}${
      subject === undefined ? "" : ` --account ${shellQuoted(subject)}`
    }`,
  otherAccount: ({ subject = "" }) =>
    `sign in again with the right account, or use --account ${shellQuoted(subject)}`,
  remoteFolder: "use -r to include folders",
  signInFailed: "run the same command with --verbose",
  siteNotFound: ({ subject: path = "" }) =>
    `look for its name with: ${commandName("ls")} --sites ${shellQuoted(path.split("/").at(-1)!)}`,
  stalled: NO_PROGRESS,
  standardInput: `upload standard input with: ${commandName("put")}`,
  tokenRefused: `get a new token for Microsoft Graph, or unset it and sign in with: ${WHOAMI}`,
};

function grantHint({ subject }: GraphError): string {
  if (subject === "all") return "Deno protects such files, of processes and devices: use a copy of it";
  const flag = subject ? `--allow-${subject}` : "the permission";
  return `run it with ${flag} as well, or with deno run -P and the script's own permission set`;
}

/**
 * The error with the hint for its code, status or kind, where it has none.
 *
 * @param script Name of the script that runs; errors of usage lead to its help.
 */
export function withHint(error: GraphError, script: string): GraphError {
  if (error.hint !== undefined) return error;
  const key = [error.code, `http${error.status}`].find((key) => Object.hasOwn(HINTS, key));
  const known = key === undefined ? undefined : HINTS[key]!;
  const byKind: Partial<Record<FailureKind, string>> = {
    signInNeeded: `sign in again with: ${WHOAMI}`,
    usage: `see ${commandName(script)} --help`,
  };
  const hint = typeof known === "function" ? known(error) : known ?? byKind[error.kind];
  return hint === undefined ? error : error.withMessage(error.message, { hint });
}
