/**
 * `parseArgs` of `@std/cli` for networks that do not reach JSR, with the options that this toolkit uses.
 *
 * @module
 */

interface ParseOptions {
  /** Options that take a value, and `_` to keep arguments as text. */
  string: string[];
  boolean: string[];
}

/** Values by option name; positional arguments are in `_`. */
export interface ParsedArgs {
  _: (string | number)[];
  [name: string]: unknown;
}

/** Parses command line arguments. A missing value is `""`; a repeated option has its last value. */
export function parseArgs(args: string[], { string, boolean }: ParseOptions): ParsedArgs {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const given = new Map<string, string | boolean>(boolean.map((name) => [name, false]));
  const positionals: string[] = [];
  let index = 0;
  const setWithNext = (name: string) => {
    const next = index + 1 < end ? args[index + 1]! : "";
    const value = !boolean.includes(name) && next !== "" && !next.startsWith("-")
      ? next
      : /^(true|false)$/.test(next)
      ? next === "true"
      : undefined;
    if (value !== undefined) index++;
    given.set(name, value ?? (string.includes(name) ? "" : true));
  };

  for (; index < end; index++) {
    const arg = args[index]!;
    const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (long !== undefined) {
      if (value === undefined) setWithNext(long);
      else given.set(long, boolean.includes(long) ? value !== "false" : value);
    } else if (/^-[^-]/.test(arg)) {
      const group = [...arg.slice(1)];
      for (const letter of group.slice(0, -1)) given.set(letter, true);
      setWithNext(group.at(-1)!);
    } else {
      positionals.push(arg);
    }
  }
  return { _: [...positionals, ...args.slice(end + 1)], ...Object.fromEntries(given) };
}
