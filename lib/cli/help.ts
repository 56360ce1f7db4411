/**
 * `--help` in a screen of 24 lines of 80 columns, and `--help all` with everything that the scripts have in common.
 *
 * @module
 */
import { EXIT_CODES } from "../errors.ts";
import { type SettingDefinition, SETTINGS } from "../settings.ts";
import {
  COMMON_OPTIONS,
  type OptionDefinitions,
  optionHelp,
  optionSyntax,
  SETTING_OPTIONS,
  type Syntax,
} from "./args.ts";
import { commandName, programName } from "./program.ts";

/** What the help of a command is made from. */
export interface CommandHelp extends Syntax<OptionDefinitions> {
  name: string;
  /** What it does, as a sentence. */
  summary: string;
  /** Argument forms, without the name. */
  forms: readonly string[];
  /** Command lines, without the name. */
  examples: readonly string[];
}

export const EXIT_CODE_HELP: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  failed: "any other failure",
  usage: "wrong usage",
  notFound: "not found",
  signInNeeded: "sign-in needed",
  refused: "no permission or consent",
  conflict: "exists already, locked or changed",
  damaged: "content damaged in transfer",
  unavailable: "throttled or unavailable",
  noSpace: "no space, here or in the drive",
  interrupted: "interrupted",
};

/** Forms of a location, with what each means. */
const LOCATION_HELP: readonly (readonly [form: string, meaning: string])[] = [
  ["PATH", "in the default drive: --site, --drive, else your OneDrive"],
  ["me:PATH", "in your OneDrive"],
  ["site:HOST/sites/NAME/PATH", "in the default library of a site"],
  ["team:TEAM/CHANNEL/PATH", "in the files of a Teams channel"],
  ["drive:NAME/PATH, drive:ID/PATH", "in a library of the site by name, or a drive by id"],
  ["id:ITEM, id:DRIVE/ITEM", "an item by id"],
  ["https://…", "an address from the browser, a share link, a link of Teams"],
  ["'General/*.docx'", "what matches: * and ? in a name, ** any number of folders"],
];

export function helpText(help: CommandHelp): string {
  return [
    ...usage(help),
    "Common options: --json --quiet --verbose --max-wait --account --site …",
    `All options, locations and exit codes: ${commandName(help.name)} --help all`,
  ].join("\n");
}

export function fullHelpText(help: CommandHelp): string {
  const variables = Object.values<SettingDefinition>(SETTINGS).map(({ variable, flag, help }) =>
    [variable, flag === undefined ? help : `as --${flag}`] as const
  );
  const codes = Object.entries(EXIT_CODES).map(([kind, code]) =>
    [String(code), EXIT_CODE_HELP[kind as keyof typeof EXIT_CODES]] as const
  );
  return [
    ...usage(help),
    "Options of every script:",
    ...columns([...optionRows(COMMON_OPTIONS), ...optionRows(SETTING_OPTIONS)]),
    "",
    "LOCATION:",
    ...columns(LOCATION_HELP),
    "",
    "Environment, and graph-scripts.json in the config folder; options win:",
    ...columns(variables),
    "",
    "Exit codes:",
    ...columns([["0", "done"], ...codes]),
  ].join("\n");
}

function usage({ name, summary, forms, options, examples }: CommandHelp): string[] {
  return [
    summary,
    "",
    ...forms.map((form, index) =>
      `${index === 0 ? "Usage:" : "      "} ${programName(name)} ${form}`.trimEnd()
    ),
    "",
    ...columns(optionRows(options)),
    "",
    "Examples:",
    ...examples.map((example) => `  ${commandName(name)} ${example}`.trimEnd()),
    "",
  ];
}

function optionRows(definitions: OptionDefinitions): [string, string][] {
  return Object.entries(definitions).map(([name, definition]) => {
    const syntax = optionSyntax(name, definition);
    return [definition.short === undefined ? `    ${syntax}` : syntax, optionHelp(definition)];
  });
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
