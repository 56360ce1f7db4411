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

/** What the scripts are made from. */
interface Completions {
  /** The last name of what is typed to start the program. */
  program: string;
  /** The name of the shell function. */
  functionName: string;
  options: CompletedOption[];
  /** Whether arguments are local files. */
  takesFiles: boolean;
}

interface CompletedOption {
  name: string;
  short: string | undefined;
  help: string;
  /** Known values, perhaps none; `undefined` for a switch. */
  values: readonly string[] | undefined;
  placeholder: string;
}

/** The text that a shell evaluates to complete the options of a command. */
export function completionScript(command: CommandHelp, shell: Shell): string {
  const definitions = { ...command.options, ...COMMON_OPTIONS, ...SETTING_OPTIONS };
  return SCRIPTS[shell]({
    program: commandName(command.name).split("/").at(-1)!,
    functionName: `_graph_${command.name.replaceAll("-", "_")}`,
    options: Object.entries(definitions).map(([name, definition]) => completed(name, definition)),
    takesFiles: /FILE|FOLDER|DEST/.test(command.forms.join(" ")),
  });
}

function completed(name: string, definition: OptionDefinition): CompletedOption {
  const { type, short, help } = definition;
  const placeholder = "placeholder" in definition ? definition.placeholder ?? "" : type;
  const values = "choices" in definition ? definition.choices ?? [] : [];
  return { name, short, help, placeholder, values: type === "switch" ? undefined : values };
}

const SCRIPTS: Readonly<Record<Shell, (completions: Completions) => string>> = {
  bash: ({ program, functionName, options, takesFiles }) => {
    const names = options.map(({ name }) => `--${name}`).join(" ");
    const anyValue = options.filter(({ values }) => values?.length === 0).map(({ name }) => `--${name}`);
    return [
      `${functionName}() {`,
      "  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} words=",
      '  [ "$option" != = ] || option=${COMP_WORDS[COMP_CWORD-2]} # --option=value is three words',
      '  [ "$word" != = ] || word=',
      '  case "$option" in',
      ...options.filter(({ values }) => values?.length).map(({ name, values }) =>
        `    --${name}) words="${values!.join(" ")}" ;;`
      ),
      `    ${anyValue.join(" | ")}) compopt +o default 2> /dev/null ;;`,
      `    *) [[ $word != -* ]] || words="${names}" ;;`,
      "  esac",
      '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
      "}",
      `complete ${takesFiles ? "-o default " : ""}-F ${functionName} ${program}`,
    ].join("\n");
  },

  zsh: ({ program, functionName, options, takesFiles }) => {
    const escaped = (text: string) => text.replace(/[\\[\]:]/g, "\\$&").replaceAll("'", "'\\''");
    const specs = options.map(({ name, short, help, values, placeholder }) => {
      const long = values ? `--${name}=` : `--${name}`;
      const names = short ? `'(-${short} --${name})'{-${short},${long}}'` : `'${long}`;
      const colons = placeholder.startsWith("[") ? "::" : ":";
      const value = values ? `${colons}${escaped(placeholder)}:(${values.join(" ")})` : "";
      return `    ${names}[${escaped(help)}]${value}'`;
    });
    return [
      `#compdef ${program}`,
      `${functionName}() {`,
      "  _arguments -s -S \\",
      [...specs, `    '*:${takesFiles ? "file:_files" : "location: "}'`].join(" \\\n"),
      "}",
      `compdef ${functionName} ${program}`,
    ].join("\n");
  },

  fish: ({ program, options, takesFiles }) => {
    const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
    const lines = options.map(({ name, short, help, values }) =>
      [
        `complete -c ${program} -l ${name}`,
        ...(short ? [`-s ${short}`] : []),
        ...(values ? ["-x"] : []),
        ...(values?.length ? [`-a ${quoted(values.join(" "))}`] : []),
        `-d ${quoted(help)}`,
      ].join(" ")
    );
    return [...(takesFiles ? [] : [`complete -c ${program} -f`]), ...lines].join("\n");
  },

  pwsh: ({ program, options }) => {
    const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const withValues = options.flatMap(({ name, values }) => values ? [{ name, values }] : []);
    return [
      `Register-ArgumentCompleter -Native -CommandName ${quoted(program)} -ScriptBlock {`,
      "  param($word, $line, $position)",
      "  $values = @{",
      ...withValues.map(({ name, values }) => `    '--${name}' = @(${values.map(quoted).join(", ")})`),
      "  }",
      "  $options = [ordered]@{",
      ...options.map(({ name, help }) => `    '--${name}' = ${quoted(help)}`),
      "  }",
      "  $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position })",
      '  $known = $values["$($before[-1])"]',
      "  if ($null -eq $known -and $word.StartsWith('-')) { $known = $options.Keys }",
      '  $known | Where-Object { $_ -like "$word*" } | ForEach-Object {',
      "    $help = if ($options[$_]) { $options[$_] } else { $_ }",
      "    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $help)",
      "  }",
      "}",
    ].join("\n");
  },
};
