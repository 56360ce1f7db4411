/**
 * What to type next. Errors of the library say what is wrong; flags and command names are added here.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";
import { shellQuoted } from "../local/private_file.ts";

/** `scripts/whoami.ts`, or `graph-whoami` in a compiled program: bare `whoami` is the operating system's. */
export function commandName(script: "whoami" | "ls" | "put-large"): string {
  return Deno.build.standalone ? `graph-${script}` : `scripts/${script}.ts`;
}

/** By error code. Applies where the library gives no hint of its own. */
const HINTS: Readonly<Record<string, (error: GraphError) => string>> = {
  folderToUpload: () => "use put -r for a folder and its contents",
  internal: () => "this is a defect of the toolkit; run it with --verbose and report what it prints",
  localExists: () => "use --conflict replace or --conflict skip, or give another DEST",
  localLonger: () => "it is not a prefix of that file: use --conflict replace, or give another DEST",
  localReplaced: () => "look at it; --conflict replace replaces it",
  noLocalFolder: ({ subject }) =>
    `create it first: mkdir -p ${
      shellQuoted(subject!)
    }; several files need an existing folder as the last argument`,
  NotCapable: grantHint,
};

/** How to grant a permission that a Deno error asks for. */
function grantHint({ message, subject }: GraphError): string {
  // MSAL reads these variables, and needs none.
  if (/"(ProgramData|ProgramFiles|MSAL_FORCE_REGION|REGION_NAME)"/.test(message)) {
    return "run it with --ignore-env=ProgramData,ProgramFiles,MSAL_FORCE_REGION,REGION_NAME as well";
  }
  const flag = subject ? `--allow-${subject}` : "the permission";
  return `run it with ${flag} as well, or with deno run -P and the script's own permission set`;
}

/** The error with the hint for its code, where it has none. */
export function withHint(error: GraphError): GraphError {
  if (error.hint !== undefined || !Object.hasOwn(HINTS, error.code)) return error;
  return error.withMessage(error.message, { hint: HINTS[error.code]!(error) });
}
