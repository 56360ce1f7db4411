/**
 * How the running program is called.
 *
 * @module
 */

import { decodeName } from "../drive/address.ts";
import { shellQuoted } from "../local/private_file.ts";
import { join, resolve } from "../std.ts";

/** The first argument that installed commands add: their name. */
const OPTION = /^--program=(graph-[a-z-]+)$/;

const name = OPTION.exec(Deno.args[0] ?? "")?.[1];

/**
 * - `script`: run from its file, with a permission set of `deno.json`;
 * - `installed`, `compiled`;
 * - `other`: a bundle, or run from a URL.
 */
export const programKind = Deno.build.standalone
  ? "compiled"
  : name !== undefined
  ? "installed"
  : /^file:.*\.js$|^https?:/.test(Deno.mainModule)
  ? "other"
  : "script";

/** The arguments of the user. */
export function userArgs(args: readonly string[]): readonly string[] {
  return OPTION.test(args[0] ?? "") ? args.slice(1) : args;
}

/** How a program is called in usage and errors: as it was started, `ls` or `graph-ls`. */
export function programName(script: string): string {
  return name ?? (programKind === "compiled" ? `graph-${script}` : script);
}

/** What can be pasted into a terminal: `scripts/ls.ts` or its whole path, `graph-ls`, or the address of a script. */
export function commandName(script: string): string {
  switch (programKind) {
    case "script":
      return shellQuoted(`${scriptFolder()}scripts/${script}.ts`);
    case "other": {
      const { protocol, pathname, href } = new URL(Deno.mainModule);
      const main = protocol === "file:" ? decodeName(pathname) : href;
      return shellQuoted(main.replace(/[\w-]+(\.\w+)$/, `${script}$1`));
    }
    default:
      return `graph-${script}`;
  }
}

/** The folder of `scripts/`; empty if it is the current one. A relative path would run another file elsewhere. */
function scriptFolder(): string {
  const { dirname } = import.meta;
  if (dirname === undefined) return "";
  const folder = resolve(dirname, "../..");
  return Deno.cwd() === folder ? "" : join(folder, "/");
}
