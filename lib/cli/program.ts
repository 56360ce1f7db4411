/**
 * How the running program is called.
 *
 * @module
 */

/** The first argument that installed programs add: their name. */
const OPTION = "--program=";

const name = Deno.args[0]?.startsWith(OPTION) ? Deno.args[0].slice(OPTION.length) : undefined;

/** Whether the program was installed or compiled, as opposed to run from its file. */
export const isInstalled = Deno.build.standalone || name !== undefined;

/** The arguments of the user. */
export function userArgs(args: readonly string[]): readonly string[] {
  return args[0]?.startsWith(OPTION) ? args.slice(1) : args;
}

/** How a program is called in usage and errors: as it was started, `ls` or `graph-ls`. */
export function programName(script: string): string {
  return name ?? (isInstalled ? `graph-${script}` : script);
}

/** What can be pasted into a terminal: `scripts/ls.ts` or `graph-ls`. */
export function commandName(script: string): string {
  return isInstalled ? `graph-${script}` : `scripts/${script}.ts`;
}
