/**
 * `@std/cli/parse-args` for networks that reach npm and not JSR: `npm:minimist`, from which it descends.
 *
 * @module
 */
// @ts-types="npm:@types/minimist@1.2.5"
import minimist from "npm:minimist@1.2.8";

/** The options that this toolkit uses, of those of `parseArgs` in `@std/cli`. */
export interface ParseOptions {
  string: string[];
  boolean: string[];
  alias: Record<string, string>;
}

/** Parses command line arguments; positionals are in `_`. */
export function parseArgs(args: string[], options: ParseOptions): { _: string[]; [name: string]: unknown } {
  const end = args.indexOf("--");
  // minimist reads any --no-x as x: false; in `@std/cli` only options that are declared so can be negated.
  const plain = args.map((arg, index) =>
    /^--no-[^=]+$/.test(arg) && (end < 0 || index < end) ? `${arg}=true` : arg
  );
  return minimist(plain, options);
}
