/**
 * Options as data: one definition of an option gives its parsing, its validation, its line of `--help` and its row of the
 * documentation.
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { parseDuration, parseSize } from "../format.ts";
import { type SettingDefinition, type SettingName, SETTINGS } from "../settings.ts";
import { parseArgs as parseWords } from "../std.ts";
import { nearest } from "../suggest.ts";

/** An option; its name is its key in {@linkcode OptionDefinitions}. */
export type OptionDefinition =
  & {
    /** One letter. */
    short?: string;
    /** What it does or means, without bounds, choices and default. */
    help: string;
  }
  & (
    | { type: "switch" }
    /** In brackets, as in `[TEXT]`, the value may be missing. Other values than `choices` are accepted, too. */
    | { type: "text"; placeholder: string; choices?: readonly string[] }
    /** A text that may be given several times. */
    | { type: "texts"; placeholder: string }
    | { type: "choice"; choices: readonly string[]; default?: string; placeholder?: string }
    /** `defaultHelp` describes a default that depends on something. */
    | { type: "number"; min: number; max: number; defaultHelp: string }
    /** In bytes. `check` throws for sizes out of bounds. */
    | { type: "size"; defaultHelp: string; check(bytes: number, typed: string): void }
    /** In seconds. */
    | { type: "duration" }
  );

/** The options of a command, by name without dashes. */
export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>;

/** The values of options; those without a default are `undefined` when they are not given. */
export type OptionValues<Definitions extends OptionDefinitions> = {
  readonly [Name in keyof Definitions]: OptionValue<Definitions[Name]>;
};

type OptionValue<Definition> = Definition extends { type: "switch" } ? boolean
  : Definition extends { type: "choice"; choices: readonly (infer Choice)[] }
    ? Definition extends { default: string } ? Choice : Choice | undefined
  : Definition extends { type: "text" } ? string | undefined
  : Definition extends { type: "texts" } ? readonly string[]
  : Definition extends { default: number } ? number
  : number | undefined;

/** What parsing needs to know of a command. */
export interface Syntax<Definitions extends OptionDefinitions> {
  /** How many arguments it takes, and how they are called in messages. */
  arguments: { min: number; max: number; names: string };
  options: Definitions;
}

export interface ParsedArgs<Definitions extends OptionDefinitions> {
  args: readonly string[];
  options: OptionValues<Definitions>;
  common: OptionValues<typeof COMMON_OPTIONS>;
  /** Settings given as options; they win over environment and config file. */
  settings: Partial<Record<SettingName, string>>;
}

/** Options of every script, besides {@linkcode SETTING_OPTIONS}. */
export const COMMON_OPTIONS = {
  json: { type: "switch", help: "print one JSON object per line" },
  fields: { type: "text", placeholder: "LIST", help: "JSON with these fields only, as name,size" },
  quiet: { type: "switch", help: "hide progress and notices" },
  verbose: { type: "switch", help: "print each request on standard error" },
  explain: { type: "switch", help: "print how each location is found" },
  "max-wait": { type: "duration", help: "longest time without progress, as 30s, 5m or 1h (default 5m)" },
  prompt: { type: "switch", help: "ask for a sign-in even without a terminal" },
  "no-prompt": { type: "switch", help: "never ask for a sign-in" },
  completions: {
    type: "choice",
    placeholder: "SHELL",
    choices: ["bash", "zsh", "fish", "pwsh"],
    help: "print completions for a shell",
  },
  help: {
    type: "text",
    placeholder: "[all]",
    choices: ["all"],
    short: "h",
    help: "show help; all: with settings and exit codes",
  },
  version: { type: "switch", help: "show the version" },
} as const satisfies OptionDefinitions;

/** Settings that are options too, as definitions; keys are names of options. */
export const SETTING_OPTIONS: OptionDefinitions = Object.fromEntries(
  Object.values<SettingDefinition>(SETTINGS).flatMap(({ flag, value, help, choices = [] }) =>
    flag === undefined ? [] : [[flag, { type: "text", placeholder: value, choices, help }]]
  ),
);

/**
 * Parses a command line.
 *
 * Switches take no value, a repeated option counts once with its last value unless it takes several, and words after `--` are arguments.
 *
 * @throws {GraphError} `usage` for an unknown option, a bad value, or too few or too many arguments. `--help`,
 *   `--version` and `--completions` come before the check of the arguments.
 */
export function parseArgs<Definitions extends OptionDefinitions>(
  { options, arguments: { min, max, names } }: Syntax<Definitions>,
  words: readonly string[],
): ParsedArgs<Definitions> {
  const definitions = { ...options, ...COMMON_OPTIONS, ...SETTING_OPTIONS };
  const [string, boolean] = [false, true].map((wanted) =>
    Object.keys(definitions).filter((name) => (definitions[name]!.type === "switch") === wanted)
  ) as [string[], string[]];
  const line = normalize(words, definitions);
  const { _, ...given } = parseWords(line, { string, boolean });
  for (const name of string.filter((name) => definitions[name]!.type === "texts" && given[name])) {
    given[name] = line.slice(0, line.indexOf("--")).flatMap((word) =>
      word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : []
    );
  }
  const args = _ as string[];
  const parsed = {
    args,
    options: readValues(options, given),
    common: readValues(COMMON_OPTIONS, given),
    settings: readSettingOptions(given),
  };
  const { help, version, completions } = parsed.common;
  if (help !== undefined || version || completions !== undefined) return parsed;
  if (args.length < min) throw usageError(`missing argument: ${names}`);
  if (args.length > max) throw usageError(`too many arguments: ${args.slice(max).join(" ")}`);
  return parsed;
}

/** Whether a switch is among the words, whatever else is wrong with them. */
export function isGiven(words: readonly string[], name: keyof typeof COMMON_OPTIONS): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).includes(`--${name}`);
}

/**
 * Rewrites a command line for `parseArgs` of @std/cli, which would let a switch take a following "true", and a text no
 * "-": every option becomes one word, and arguments follow "--".
 */
function normalize(words: readonly string[], definitions: OptionDefinitions): string[] {
  const byLetter = new Map(Object.entries(definitions).map(([name, { short }]) => [short, name]));
  const end = [...words, "--"].indexOf("--");
  const options: string[] = [];
  const args: string[] = [];
  let takesNext = false;
  for (const word of words.slice(0, end)) {
    if (!isOption(word)) {
      if (!takesNext) args.push(word);
      else if (word !== "") options.push(`${options.pop()}=${word}`);
      takesNext = false;
      continue;
    }
    const [, dashes, text = "", value] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word)!;
    for (const typed of dashes === "--" ? [text] : [...text]) {
      const name = dashes === "--" ? typed : byLetter.get(typed) ?? "";
      if (!Object.hasOwn(definitions, name)) {
        const near = nearest(typed, dashes === "--" ? Object.keys(definitions) : []);
        throw usageError(
          `unknown option ${dashes}${typed}`,
          near && `did you mean --${near}?`,
          "unknownOption",
        );
      }
      const isSwitch = definitions[name]!.type === "switch";
      if (isSwitch && value !== undefined) throw usageError(`${dashes}${text} takes no value`);
      options.push(value ? `--${name}=${value}` : `--${name}`);
      takesNext = !isSwitch && value === undefined;
    }
  }
  return [...options, "--", ...args, ...words.slice(end + 1)];
}

function isOption(word: string): boolean {
  return word.startsWith("-") && word !== "-"; // a dash alone is standard input or output
}

function readValues<Definitions extends OptionDefinitions>(
  definitions: Definitions,
  given: Readonly<Record<string, unknown>>,
): OptionValues<Definitions> {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, option]) => [name, readValue(name, option, given[name])]),
  ) as OptionValues<Definitions>;
}

function readValue(
  name: string,
  definition: OptionDefinition,
  text: unknown,
): boolean | string | readonly string[] | number | undefined {
  if (definition.type === "switch") return text === true;
  if (Array.isArray(text)) return text;
  if (definition.type === "texts" && text === undefined) return [];
  if (typeof text !== "string") return "default" in definition ? definition.default : undefined;
  const isOptional = definition.type === "text" && definition.placeholder.startsWith("[");
  if (text === "" && !isOptional) throw usageError(`--${name} needs a value`);
  switch (definition.type) {
    case "text":
    case "texts":
      return text;
    case "choice": {
      const { choices } = definition;
      if (choices.includes(text)) return text;
      throw usageError(`--${name} ${text}: not one of ${choices.join(", ")}`);
    }
    case "number": {
      const { min, max } = definition;
      const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
      if (number >= min && number <= max) return number;
      throw usageError(`--${name} ${text}: not a whole number from ${min} to ${max}`);
    }
    case "size": {
      const bytes = parseSize(text, `--${name} `);
      definition.check(bytes, text);
      return bytes;
    }
    case "duration":
      return parseDuration(text, `--${name} `);
  }
}

function readSettingOptions(given: Readonly<Record<string, unknown>>): Partial<Record<SettingName, string>> {
  const values = readValues(SETTING_OPTIONS, given);
  const settings = Object.entries<SettingDefinition>(SETTINGS).flatMap(([name, { flag }]) =>
    flag === undefined || values[flag] === undefined ? [] : [[name, values[flag]]]
  );
  return Object.fromEntries(settings);
}

/** How an option is written: `-r, --recursive`, `--jobs N`. */
export function optionSyntax(name: string, definition: OptionDefinition): string {
  const placeholders = { switch: "", choice: " HOW", number: " N", size: " SIZE", duration: " TIME" };
  const placeholder = "placeholder" in definition
    ? ` ${definition.placeholder}`
    : placeholders[definition.type];
  return `${definition.short ? `-${definition.short}, ` : ""}--${name}${placeholder}`;
}

/** What an option means, with its choices, bounds and default. */
export function optionHelp(definition: OptionDefinition): string {
  const { help } = definition;
  switch (definition.type) {
    case "choice": {
      const choices = definition.choices.map((choice) =>
        choice === definition.default ? `${choice} (default)` : choice
      );
      return `${help}: ${choices.join(", ")}`;
    }
    case "number": {
      const { min, max, defaultHelp } = definition;
      return `${help}, ${min} to ${max} (default ${defaultHelp})`;
    }
    case "size":
      return `${help} (default ${definition.defaultHelp})`;
    default:
      return help;
  }
}
