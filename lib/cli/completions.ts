/**
 * Completions for shells, from the options of a command.
 *
 * @module
 */
import { COMMON_OPTIONS, type OptionDefinition, SETTING_OPTIONS } from "./args.ts";
import type { CommandHelp } from "./help.ts";
import { commandName } from "./program.ts";

/** A shell that {@linkcode completionScript} knows. */
export type Shell = typeof COMMON_OPTIONS.completions.choices[number];

interface CompletedOption {
  name: string;
  short: string | undefined;
  help: string;
  /** Known values, perhaps none; `undefined` for a switch. */
  values: readonly string[] | undefined;
}

interface Completions {
  /** The last name of what is typed to start the program. */
  program: string;
  /** The name of the shell function. */
  call: string;
  options: CompletedOption[];
  /** Whether arguments are local files. */
  takesFiles: boolean;
}

/** The text that a shell evaluates to complete the options of a command. */
export function completionScript(command: CommandHelp, shell: Shell): string {
  const definitions = { ...command.options, ...COMMON_OPTIONS, ...SETTING_OPTIONS };
  const options = Object.entries(definitions).map(([name, definition]) => completed(name, definition));
  const program = commandName(command.name).split("/").at(-1)!;
  const call = `_graph_${command.name.replaceAll("-", "_")}`;
  const takesFiles = /FILE|FOLDER|DEST/.test(command.forms.join(" "));
  return SCRIPTS[shell]({ program, call, options, takesFiles }).flat().join("\n");
}

function completed(name: string, definition: OptionDefinition): CompletedOption {
  const { type, short, help } = definition;
  const choices = "choices" in definition ? definition.choices : undefined;
  return { name: `--${name}`, short, help, values: type === "switch" ? undefined : choices ?? [] };
}

/** Options with known values, each as a line. */
function valueLines(options: CompletedOption[], line: (name: string, values: readonly string[]) => string) {
  return options.flatMap(({ name, values = [] }) => values.length > 0 ? [line(name, values)] : []);
}

const SCRIPTS: Readonly<Record<Shell, (completions: Completions) => (string | string[])[]>> = {
  bash: ({ program, call, options, takesFiles }) => [
    `${call}() {`,
    "  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} words=",
    '  [ "$option" != = ] || option=${COMP_WORDS[COMP_CWORD-2]} # --option=value is three words',
    '  [ "$word" != = ] || word=',
    '  case "$option" in',
    valueLines(options, (name, values) => `    ${name}) words="${values.join(" ")}" ;;`),
    `    *) [[ $word != -* ]] || words="${options.map(({ name }) => name).join(" ")}" ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    `complete ${takesFiles ? "-o default " : ""}-F ${call} ${program}`,
  ],

  zsh: ({ program, call, options, takesFiles }) => {
    const specs = options.map(({ name, short, help, values }) => {
      const long = values ? `${name}=` : name;
      const names = short ? `'(-${short} ${name})'{-${short},${long}}'` : `'${long}`;
      const description = help.replace(/[\\[\]:]/g, "\\$&").replaceAll("'", "'\\''");
      return `${names}[${description}]${values ? `:value:(${values.join(" ")})` : ""}' \\`;
    });
    const rest = `'*:${takesFiles ? "file:_files" : "location: "}'`;
    const lines = ["_arguments -s -S \\", ...specs, rest].map((line) => `  ${line}`);
    return [`#compdef ${program}`, `${call}() {`, lines, "}", `compdef ${call} ${program}`];
  },

  fish: ({ program, options, takesFiles }) => {
    const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
    const lines = options.map(({ name, short, help, values }) => {
      const names = `-l ${name.slice(2)}${short ? ` -s ${short}` : ""}`;
      return `complete -c ${program} ${names}${values ? ` -xa '${values.join(" ")}'` : ""} -d ${
        quoted(help)
      }`;
    });
    return [takesFiles ? [] : [`complete -c ${program} -f`], lines];
  },

  pwsh: ({ program, options }) => [
    `Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {`,
    "  param($word, $line, $position)",
    "  $values = @{",
    valueLines(options, (name, values) => `    '${name}' = '${values.join("', '")}'`),
    "  }",
    "  $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position })",
    '  $known = $values["$($before[-1])"]',
    `  if (!$known -and $word -like '-*') { $known = '${options.map(({ name }) => name).join("', '")}' }`,
    '  $known | Where-Object { $_ -like "$word*" }',
    "}",
  ],
};
