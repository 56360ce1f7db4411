/**
 * The words of a command line, before a parser reads them: which are options, and whether they are known. Parsers differ in
 * what they do with unknown options, and some drop `--constructor` without a word.
 *
 * @module
 */
import { usageError } from "../errors.ts";

/** The options of a command. */
export interface KnownOptions {
  /** Names of the options that take a value. */
  strings: readonly string[];
  /** Names of the switches, which take none. */
  switches: readonly string[];
  /** Switches by their letter. */
  letters: ReadonlyMap<string, string>;
}

/** The words that may be options: those in front of `--`. */
export function optionWords(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/**
 * Checks the options, and returns the words in one form that every parser reads alike: `--name=value`, and `--name=true`
 * for a switch. The word behind a switch is an argument then, also one such as `true`.
 *
 * @param see For the hint of an error.
 * @throws {GraphError} `usage` for an unknown option, or a switch with a value.
 */
export function checkWords(args: readonly string[], known: KnownOptions, see: string): string[] {
  const front = optionWords(args);
  const words: string[] = [];
  for (let at = 0; at < front.length; at++) {
    const word = front[at]!;
    const [, dashes, name = "", value] = /^(--?)([^=]+)(=.*)?$/s.exec(word) ?? [];
    if (dashes === undefined) {
      if (word.startsWith("-") && word !== "-") {
        throw usageError(`unknown option ${word}`, see, "unknownOption");
      }
      words.push(word);
    } else if (dashes === "--" && known.strings.includes(name)) {
      const next = front[at + 1];
      const takesNext = value === undefined && next !== undefined && (next === "-" || !next.startsWith("-"));
      if (takesNext) at++;
      words.push(`--${name}${value ?? `=${takesNext ? next : ""}`}`);
    } else {
      const switches = switchesOf(dashes, name, known, see);
      if (value !== undefined) throw usageError(`${dashes}${name} takes no value`, see);
      words.push(...switches.map((name) => `--${name}=true`));
    }
  }
  return [...words, ...args.slice(front.length)];
}

/** One switch by its name, or several by their letters. */
function switchesOf(dashes: string, name: string, known: KnownOptions, see: string): string[] {
  const given = dashes === "--" ? [name] : [...name];
  return given.map((one) => {
    const found = dashes === "-" ? known.letters.get(one) : known.switches.find((name) => name === one);
    if (found === undefined) throw usageError(`unknown option ${dashes}${one}`, see, "unknownOption");
    return found;
  });
}
