/**
 * `parseArgs` of `@std/cli` for networks that do not reach JSR, with the options that this toolkit uses.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Options that take a value, and `_` to keep arguments as text. */
  string: string[];
  /** Switches. */
  boolean: string[];
  /** Names of switches by their letters. */
  alias: Record<string, string>;
}

/** Values by option name; arguments that are no options are in `_`. */
export interface ParsedArgs {
  _: (string | number)[];
  [name: string]: unknown;
}

/** Parses command line arguments. A missing value is `""`; of an option given twice the last value counts. */
export function parseArgs(args: string[], { string, boolean, alias }: ParseOptions): ParsedArgs {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const given = new Map<string, string | boolean>();
  const positionals: string[] = [];
  const pairs = Object.entries(alias);
  const otherName = new Map([...pairs, ...pairs.map(([letter, name]): [string, string] => [name, letter])]);
  const switches = boolean.flatMap((name) => [name, otherName.get(name) ?? name]);
  const set = (name: string, value: string | boolean) => {
    given.set(name, value);
    given.set(otherName.get(name) ?? name, value);
  };

  let index = 0;
  const setWithNext = (name: string) => {
    const next = index + 1 < end ? args[index + 1]! : "";
    const value = !switches.includes(name) && next !== "" && !next.startsWith("-")
      ? next
      : /^(true|false)$/.test(next)
      ? next === "true"
      : undefined;
    if (value !== undefined) index++;
    set(name, value ?? (string.includes(name) ? "" : true));
  };

  for (; index < end; index++) {
    const arg = args[index]!;
    const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (long !== undefined) {
      if (value === undefined) setWithNext(long);
      else set(long, switches.includes(long) ? value !== "false" : value);
    } else if (/^-[^-]/.test(arg)) {
      const group = [...arg.slice(1)];
      for (const letter of group.slice(0, -1)) set(letter, true);
      setWithNext(group.at(-1)!);
    } else {
      positionals.push(arg);
    }
  }
  for (const name of switches) if (!given.has(name)) given.set(name, false);
  return { _: [...positionals, ...args.slice(end + 1)], ...Object.fromEntries(given) };
}
