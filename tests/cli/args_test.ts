import { assert, assertEquals } from "../assert.ts";
import { isGiven, type OptionDefinitions, optionHelp, optionSyntax, parseArgs } from "../../lib/cli/args.ts";
import { fullHelpText, helpText } from "../../lib/cli/help.ts";
import { isGraphError } from "../../lib/errors.ts";
import { get } from "../../scripts/get.ts";
import { ls } from "../../scripts/ls.ts";
import { putLarge } from "../../scripts/put-large.ts";
import { put } from "../../scripts/put.ts";
import { whoami } from "../../scripts/whoami.ts";

const OPTIONS = {
  long: { type: "switch", short: "l", help: "show more" },
  recursive: { type: "switch", short: "R", help: "include contents" },
  text: { type: "text", placeholder: "TEXT", help: "a text" },
  only: { type: "texts", placeholder: "TEXT", help: "several texts" },
  sites: { type: "text", placeholder: "[TEXT]", help: "sites" },
  conflict: { type: "choice", choices: ["fail", "replace"], default: "fail", help: "if here" },
  jobs: { type: "number", min: 1, max: 16, defaultHelp: "4", help: "files in parallel" },
  connections: { type: "number", min: 1, max: 16, defaultHelp: "1; 4 from 64 MiB", help: "per file" },
  size: { type: "size", defaultHelp: "1 KiB", check: () => {}, help: "a size" },
} as const satisfies OptionDefinitions;
const SYNTAX = { options: OPTIONS, arguments: { min: 0, max: 3, names: "FILE" } };
const DEFAULTS = {
  long: false,
  recursive: false,
  text: undefined,
  only: [] as string[],
  sites: undefined,
  conflict: "fail",
  jobs: undefined,
  connections: undefined,
  size: undefined,
};

Deno.test("parseArgs() separates options, with defaults, from arguments", () => {
  const cases: [words: string[], args: string[], options: Record<string, unknown>][] = [
    [[], [], {}],
    [["-l", "true"], ["true"], { long: true }],
    [["-lR", "x"], ["x"], { long: true, recursive: true }],
    [["--long", "false"], ["false"], { long: true }],
    [["--text", "a", "--text=b=c"], [], { text: "b=c" }],
    [["--text", "-"], [], { text: "-" }],
    [["--text", "007"], [], { text: "007" }],
    [["--only", "a=b", "--only=--c", "x", "--", "--only=d"], ["x", "--only=d"], { only: ["a=b", "--c"] }],
    [["--sites"], [], { sites: "" }],
    [["--sites", "-l"], [], { sites: "", long: true }],
    [["--sites", "x"], [], { sites: "x" }],
    [["--conflict", "replace"], [], { conflict: "replace" }],
    [["--jobs", "16", "--connections=2"], [], { jobs: 16, connections: 2 }],
    [["--size", "10MiB"], [], { size: 10 * 1024 ** 2 }],
    [["", "-", "a-b"], ["", "-", "a-b"], {}],
    [["1.50", "--", "--json", "-x"], ["1.50", "--json", "-x"], {}],
  ];
  for (const [words, args, options] of cases) {
    const parsed = parseArgs(SYNTAX, words);
    assertEquals(parsed.args, args, words.join(" "));
    assertEquals(parsed.options, { ...DEFAULTS, ...options } as typeof parsed.options, words.join(" "));
  }
});

Deno.test("parseArgs() reads common options and settings", () => {
  const words = ["--json", "--max-wait", "2m", "--site", "TestTeam", "--account=a@b.c"];
  const { common, settings } = parseArgs(SYNTAX, words);
  assertEquals([common.json, common.quiet, common["max-wait"], common.help], [true, false, 120, undefined]);
  assertEquals(settings, { site: "TestTeam", account: "a@b.c" });
  for (
    const [words, help] of [[["-h"], ""], [["--help", "all"], "all"], [
      ["a", "b", "c", "d", "-h"],
      "",
    ]] as const
  ) {
    assertEquals(parseArgs(SYNTAX, words).common.help, help);
  }
});

Deno.test("parseArgs() rejects unknown options and bad values", () => {
  const cases: [words: string[], message: string][] = [
    [["--constructor"], "unknown option --constructor"],
    [["--constructor=x"], "unknown option --constructor"],
    [["--__proto__"], "unknown option --__proto__"],
    [["--__proto__.json=x"], "unknown option --__proto__.json"],
    [["--toString"], "unknown option --toString"],
    [["--no-json"], "unknown option --no-json"],
    [["--json.x"], "unknown option --json.x"],
    [["--=x"], "unknown option --"],
    [["---json"], "unknown option ---json"],
    [["-x"], "unknown option -x"],
    [["-lx"], "unknown option -x"],
    [["-5"], "unknown option -5"],
    [["--json=FAIL"], "--json takes no value"],
    [["--json=true"], "--json takes no value"],
    [["--quiet="], "--quiet takes no value"],
    [["-l=x"], "-l takes no value"],
    [["--text"], "--text needs a value"],
    [["--text", "--json"], "--text needs a value"],
    [["--text", "--", "x"], "--text needs a value"],
    [["--text="], "--text needs a value"],
    [["--only", "a", "--only"], "--only needs a value"],
    [["--conflict", "maybe"], "--conflict maybe: not one of fail, replace"],
    [["--jobs", "0"], "--jobs 0: not a whole number from 1 to 16"],
    [["--jobs", "17"], "--jobs 17: not a whole number from 1 to 16"],
    [["--jobs", "1.5"], "--jobs 1.5: not a whole number from 1 to 16"],
    [["--size", "much"], '--size "much" is not a size'],
    [["--max-wait", "soon"], '--max-wait "soon" is not a time'],
    [["a", "b", "c", "d"], "too many arguments: d"],
  ];
  for (const [words, message] of cases) {
    const error = failureOf(() => parseArgs(SYNTAX, words));
    assert(isGraphError(error), `${words} is accepted`);
    assertEquals([error.message, error.exitCode], [message, 2]);
  }
  const missing = failureOf(() => parseArgs({ ...SYNTAX, arguments: { min: 1, max: 2, names: "FILE" } }, []));
  assertEquals((missing as Error).message, "missing argument: FILE");
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

Deno.test("isGiven() looks for a switch before --", () => {
  assertEquals(isGiven(["a", "--json", "--", "--quiet"], "json"), true);
  assertEquals(isGiven(["a", "--json", "--", "--quiet"], "quiet"), false);
});

Deno.test("optionSyntax() and optionHelp() show placeholder, choices, bounds and default", () => {
  const rows = Object.entries(OPTIONS).map(([name, option]) =>
    `${optionSyntax(name, option)}: ${optionHelp(option)}`
  );
  assertEquals(rows.slice(1), [
    "-R, --recursive: include contents",
    "--text TEXT: a text",
    "--only TEXT: several texts",
    "--sites [TEXT]: sites",
    "--conflict HOW: if here: fail (default), replace",
    "--jobs N: files in parallel, 1 to 16 (default 4)",
    "--connections N: per file, 1 to 16 (default 1; 4 from 64 MiB)",
    "--size SIZE: a size (default 1 KiB)",
  ]);
});

for (const command of [whoami, ls, get, put, putLarge]) {
  Deno.test(`${command.name} --help fits 24 lines of 80 columns and shows every option of the script`, () => {
    const text = helpText(command);

    const lines = text.split("\n");
    assert(lines.length <= 24, `${lines.length} lines`);
    assertEquals(lines.filter((line) => line.length > 80), []);
    for (const option of Object.keys(command.options)) assert(text.includes(`--${option}`), option);
    assert(text.includes(`Usage: ${command.name}`));
    for (const part of ["--no-prompt", "GRAPH_TOKEN_CACHE", "site:HOST", "130"]) {
      assert(fullHelpText(command).includes(part), part);
    }
  });
}
