/**
 * How the running program is called.
 *
 * @module
 */

/** The first argument that installed commands add: their name. */
const OPTION = "--program=";

const name = Deno.args[0]?.startsWith(OPTION) ? Deno.args[0].slice(OPTION.length) : undefined;

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
  return args[0]?.startsWith(OPTION) ? args.slice(1) : args;
}

/** How a program is called in usage and errors: as it was started, `ls` or `graph-ls`. */
export function programName(script: string): string {
  return name ?? (programKind === "compiled" ? `graph-${script}` : script);
}

/** What can be pasted into a terminal: `scripts/ls.ts`, `graph-ls`, or the address of a script. */
export function commandName(script: string): string {
  switch (programKind) {
    case "script":
      return `scripts/${script}.ts`;
    case "other":
      return Deno.mainModule.replace(/^file:\/\//, "").replace(/[\w-]+(\.\w+)$/, `${script}$1`);
    default:
      return `graph-${script}`;
  }
}
