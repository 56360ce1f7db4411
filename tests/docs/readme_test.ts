/** Holds README.md and deno.json to what the code does. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join, toFileUrl } from "../../lib/std.ts";
import { AADSTS } from "../../lib/auth/aadsts.ts";
import { COMMON_OPTIONS, type OptionDefinitions, optionHelp, optionSyntax } from "../../lib/cli/args.ts";
import type { Command } from "../../lib/cli/run.ts";
import { EXIT_CODES } from "../../lib/errors.ts";
import { readSettings, type SettingDefinition, type SettingName, SETTINGS } from "../../lib/settings.ts";
import { VERSION } from "../../lib/version.ts";
import { get } from "../../scripts/get.ts";
import { ls } from "../../scripts/ls.ts";
import { putLarge } from "../../scripts/put-large.ts";
import { put } from "../../scripts/put.ts";
import { whoami } from "../../scripts/whoami.ts";
import {
  commandLine,
  denoRun,
  jsonLines,
  type ProcessResult,
  ROOT,
  runProcess,
  type ScriptName,
  startTestEnv,
} from "../test_env.ts";

const COMMANDS: readonly Command[] = [whoami, ls, get, put, putLarge];
const README = await Deno.readTextFile(join(ROOT, "README.md"));

/** The text below a heading, up to the next heading of any level. */
function section(heading: string): string {
  const [, rest] = README.split(`\n${heading}\n`);
  assert(rest !== undefined, `README.md has no heading "${heading}"`);
  return rest.replaceAll(/```.*?```/gs, (block) => block.replaceAll(/^#/gm, " #")).split(/^#+ /m)[0]!;
}

/** The rows of the table of a section whose header begins with `first`; cells trimmed. */
function table(text: string, first: string): string[][] {
  const lines = text.split("\n");
  const header = lines.findIndex((line) => line.startsWith(`| ${first} `));
  assert(header >= 0, `no table with the column "${first}"`);
  const end = lines.findIndex((line, index) => index > header && !line.startsWith("|"));
  return lines.slice(header + 2, end).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** The code spans of a text. */
function spans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** The first block of this language that contains `part`. */
function block(language: string, part: string): string {
  const blocks = [...README.matchAll(/```(\w+)\n(.*?)```/gs)];
  const found = blocks.find(([, name, text]) => name === language && text!.includes(part));
  assert(found, `README.md has no block of ${language} with ${part}`);
  return found[2]!;
}

/** Runs a snippet of the README as a file of its own, with the permission set that the README says. */
async function runSnippet(
  file: string,
  part: string,
  env: Record<string, string>,
  cwd: string,
  args: string[],
): Promise<ProcessResult> {
  const [, set] = new RegExp(`deno run -q -P=([\\w-]+) ${file}`).exec(README) ?? [];
  assert(set, `README.md does not say how to run ${file}`);
  // Next to lib/ for a user, in a folder of its own here.
  const text = block("ts", part).replaceAll('"./lib/', `"${toFileUrl(ROOT).href.replace(/\/?$/, "/")}lib/`);
  await Deno.writeTextFile(join(cwd, file), text);
  return await runProcess(denoRun("--check", `-P=${set}`, file, ...args), { env, cwd });
}

/** How the README shows an option. */
function shown(options: OptionDefinitions): string[] {
  return Object.entries(options).map(([name, definition]) => optionSyntax(name, definition));
}

async function json(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(join(ROOT, file)));
}

Deno.test("the README's snippets do what it says, with the permissions that it says", async () => {
  await using b = await startTestEnv();
  const sums = await runSnippet("sum-sizes.ts", "listItems", b.sandbox.env, b.folder, ["General"]);
  assertEquals([sums.code, sums.stderr], [0, ""]);
  const expected = /\$ deno run -q -P=ls sum-sizes.ts General\n(.*?)```/s.exec(README)?.[1];
  assertEquals(sums.stdout, expected ?? "");

  await b.file("notes.txt", "Hello from the sandbox.\n");
  const upload = (...args: string[]) => runSnippet("upload.ts", "uploadFile", b.sandbox.env, b.folder, args);
  const uploaded = await upload("notes.txt", "General/");
  assertEquals([uploaded.code, uploaded.stderr], [0, ""]);
  const [result] = jsonLines(uploaded.stdout);
  assertEquals([result!.path, result!.result, result!.bytes], ["General/notes.txt", "created", 24]);

  const failed = await upload("notes.txt", "Nowhere/");
  assertEquals([failed.code, failed.stdout], [EXIT_CODES.notFound, ""]);
  assertMatch(failed.stderr, /^the folder Nowhere\/ does not exist; /);
});

/** Commands of the console blocks of a text, each with the lines that are shown below it. */
function session(text: string): { command: string; lines: string[] }[] {
  const blocks = [...text.matchAll(/```console\n(.*?)```/gs)].map(([, block]) => block!);
  return blocks.flatMap((block) => block.split(/^\$ /m).slice(1)).map((entry) => {
    const [command, ...lines] = entry.trimEnd().split("\n");
    return { command: command!, lines };
  });
}

/** Without what differs from run to run: request ids, times; transfers of one command end in any order. */
function comparable(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(/request-id \S+ \S+\)$/, "request-id …)").replace(/, in \d:\d\d$/, ", in …")
  ).toSorted();
}

Deno.test({
  name: "the rehearsal of the README, from the first listing to the sign-out, prints what it says",
  ignore: Deno.build.os === "windows", // its commands are those of a POSIX shell
  async fn() {
    await using b = await startTestEnv();
    const [, rehearsal] = /^\*\*List\.\*\*(.*?)^Options of `deno task sandbox`/ms.exec(README) ?? [];
    const steps = session(rehearsal ?? "");
    assert(steps.length >= 12);
    for (const { command, lines } of steps) {
      const [, script, args] = /^scripts\/([\w-]+)\.ts ?(.*)$/.exec(command) ?? [];
      const line = script === undefined
        ? ["sh", "-c", command]
        : commandLine(script as ScriptName, args ? args.split(" ") : []);
      const { stdout, stderr } = await runProcess(line, { env: b.sandbox.env, cwd: b.folder });
      const printed = script === undefined ? [] : (stdout + stderr).split("\n").filter(Boolean);
      assertEquals(comparable(printed), comparable(lines), command);
    }
  },
});

Deno.test("ls runs with the narrow permissions of the README, also when it renews its sign-in", async () => {
  await using b = await startTestEnv(); // signed in by whoami, whose token does not let ls read
  const command = block("sh", "--ignore-env=").split("\n").slice(1).join("\n");
  const words = command.replaceAll("\\\n", " ").trim().split(/\s+/).map((word) =>
    word.replaceAll(/['"]/g, "")
  );
  assertEquals(words.slice(0, 3), ["deno", "run", "-q"]);
  const line = words.slice(3).map((word) =>
    word.replaceAll("$GRAPH_SCRIPTS_HOME", b.sandbox.env.GRAPH_SCRIPTS_HOME!)
      .replace(/^--allow-net=.*/, "--allow-net=127.0.0.1") // what it says to write for the sandbox
      .replace(/^scripts\//, `${join(ROOT, "scripts")}/`)
  );
  const ended = await runProcess(denoRun(...line), { env: b.sandbox.env, cwd: b.folder });
  assertEquals([ended.code, ended.stderr], [0, ""]);
  assertMatch(ended.stdout, /^Agenda\.md$/m);
});

Deno.test("the README lists exactly the settings, with their flags, variables and keys", async () => {
  const rows = table(section("## Settings"), "Flag").map(([flag, variable, key]) =>
    [flag, variable, key].map((cell) => spans(cell!)[0] ?? "")
  );
  const settings = Object.entries<SettingDefinition>(SETTINGS);
  const inFile = (name: string) => !["accessToken", "home", "tokenCacheKey"].includes(name);
  assertEquals(
    rows,
    settings.map(([name, { flag, variable }]) => [
      flag ? `--${flag}` : "",
      variable,
      inFile(name) ? name : "",
    ]),
  );

  const home = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const read = async (text: string) => {
      await Deno.writeTextFile(join(home, "graph-scripts.json"), text);
      return await readSettings({ home }, () => undefined);
    };
    const example = block("json", '"tenantId"');
    const settings = await read(example);
    for (const [name, value] of Object.entries<string>(JSON.parse(example))) {
      assertEquals(settings[name as "site"], value);
    }
    for (const name of (Object.keys(SETTINGS) as SettingName[]).filter((name) => !inFile(name))) {
      const refusal = await read(JSON.stringify({ [name]: "x" })).then(() => "accepted", String);
      assertMatch(refusal, new RegExp(`${name} is not a setting of this file`));
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("the README's exit codes are those of the scripts", () => {
  const rows = table(section("## Exit codes"), "Code").map(([code, name]) => [Number(code), spans(name!)[0]]);
  assertEquals(rows, [[0, "done"], ...Object.entries(EXIT_CODES).map(([name, code]) => [code, name])]);
});

Deno.test("the README lists exactly the options of each script", () => {
  for (const { name, options } of COMMANDS) {
    const rows = table(section(`### ${name}`), "Option").map(([option]) => spans(option!).join(", "));
    assertEquals(rows, shown(options), name);
  }
  assertEquals(
    table(section("### Options of every script"), "Option").map(([option]) => spans(option!)[0]),
    shown(COMMON_OPTIONS),
  );
});

Deno.test("the README shows the forms of each script as --help does", () => {
  for (const { name, forms } of COMMANDS) {
    const usage = /```text\n(.*?)```/s.exec(section(`### ${name}`))?.[1];
    assertEquals(usage?.trim().split("\n"), forms.map((form) => `${name} ${form}`.trim()));
  }
});

Deno.test("the README names exactly the JSON fields that the scripts print", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.txt", "a");
  const fields = (heading: string, start: string) => {
    const text = section(heading).replaceAll(/\s+/g, " ");
    const [, list] = new RegExp(`${start}: ((?:\`\\w+\`(?:, )?)+)`).exec(text) ?? [];
    assert(list, `${heading} lists no fields after "${start}"`);
    return spans(list).toSorted();
  };
  const printed = async (...[script, ...args]: Parameters<typeof b.run>) => {
    const { code, stdout, stderr } = await b.run(script, ...args, "--json");
    assertEquals(code, 0, stderr);
    return Object.keys(jsonLines(stdout)[0]!).toSorted();
  };
  const transfer = fields("### Results of transfers", "JSON fields of `get`, `put` and `put-large`");
  assertEquals(await printed("whoami"), fields("### whoami", "JSON fields"));
  assertEquals(await printed("ls", "General"), fields("### ls", "JSON fields"));
  assertEquals(await printed("ls", "--sites"), fields("### ls", "With `--sites`"));
  assertEquals(await printed("ls", "--drives"), fields("### ls", "With `--drives`"));
  assertEquals(await printed("put", file, "General/"), transfer);
  assertEquals(await printed("put-large", file, "General/"), transfer);
  assertEquals(await printed("get", "General/a.txt", "copy.txt"), transfer);
  assertEquals(
    await printed("get", "General/a.txt", "dry.txt", "--dry-run"),
    [
      ...transfer.filter((field) => field !== "sha256"), // nothing was read
      "dryRun",
    ].toSorted(),
  );

  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", file, "General/unfinished.txt")).code, EXIT_CODES.unavailable);
  b.sandbox.clearFaults();
  assertEquals(await printed("put-large", "--list"), fields("### put-large", "JSON fields with `--list`"));
  assertEquals(
    await printed("put-large", "--abandon", "General/unfinished.txt"),
    fields("### put-large", "With `--abandon`"),
  );

  assertEquals(await printed("whoami", "--sign-out"), fields("### whoami", "With `--sign-out`"));
});

Deno.test("the README lists exactly the options of the sandbox, and its fault rules are rules", async () => {
  const { stdout } = await runProcess(denoRun("-A", join(ROOT, "tests", "sandbox", "main.ts"), "--help"), {});
  const options = [...stdout.matchAll(/^ {2}(--\S+(?: [A-Z]+)?)/gm)].map(([, option]) => option!);
  assertEquals(
    table(section("## Rehearse without a tenant"), "Option").map(([option]) => spans(option!)[0]!),
    options,
  );
  const { parseFaultRules } = await import("../sandbox/fault_file.ts");
  assertEquals(parseFaultRules(block("json", '"service"')).length, 2);
  const inText = [...README.matchAll(/`(\[\{ "service".*?\}\])`/g)];
  assertEquals(inText.map(([, rules]) => parseFaultRules(rules!).length), [1]);
});

Deno.test("the texts that Troubleshooting quotes are in the code, and so are the AADSTS numbers", async () => {
  const code = (await sources(join(ROOT, "lib"))).join("\n");
  const rows = table(section("## Troubleshooting"), "You see");
  assert(rows.length > 20);
  for (const [quoted, meaning] of rows) {
    const [text = "(nothing)"] = spans(quoted!);
    assert(code.includes(text), `not in lib/: ${text}`);
    const [, number] = /AADSTS(\d+)/.exec(meaning!) ?? [];
    const why = AADSTS.get(Number(number))?.why ?? "";
    assert(number === undefined || why.includes(text), `AADSTS${number} says: ${why}`);
  }
});

/** The text of each module in a folder and below. */
async function sources(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) texts.push(...await sources(path));
    else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(path));
  }
  return texts;
}

Deno.test("error texts that send people to the README name headings that it has", async () => {
  for (const code of await sources(join(ROOT, "lib"))) {
    for (const [, heading] of code.matchAll(/\(README, ([^)]+)\)/g)) section(`## ${heading}`);
  }
});

Deno.test("the contents of the README name all its parts, in their order", () => {
  const [top] = README.split("\n## ");
  const contents = [...top!.matchAll(/\[([^\]]+)\]\(#/g)].map(([, heading]) =>
    heading!.replaceAll(/\s+/g, " ")
  );
  const fences = README.replaceAll(/```.*?```/gs, "");
  assertEquals(contents, [...fences.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!));
});

Deno.test("the README's faults with names are faults, and its numbers of jobs and connections those of --help", async () => {
  const { isFaultName } = await import("../sandbox/known_faults.ts");
  const names = /--fault ([a-z0-9,-]+)`:/.exec(README)?.[1]?.split(",") ?? [];
  assert(names.length > 0);
  for (const name of names) assert(isFaultName(name), name);
  for (const command of [get, put]) {
    const rows = table(section(`### ${command.name}`), "Option");
    for (const [name, option] of Object.entries<OptionDefinitions[string]>(command.options)) {
      if (!["jobs", "connections"].includes(name)) continue;
      const [, meaning] = rows.find(([cell]) => cell!.includes(`--${name} `))!;
      assertEquals(meaning!.match(/\d+/g), optionHelp(option).match(/\d+/g), name);
    }
  }
});

Deno.test("links within the README lead to headings that it has", () => {
  const anchor = (heading: string) =>
    heading.toLowerCase().replaceAll(/[^\w\s-]/g, "").trim().replaceAll(" ", "-");
  const anchors = [...README.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!));
  for (const [, target] of README.matchAll(/\]\(#([^)]+)\)/g)) {
    assert(anchors.includes(target!), `no heading for #${target}`);
  }
});

Deno.test("deno.json has the version that the scripts print", async () => {
  assertEquals((await json("deno.json")).version, VERSION);
});

Deno.test("each script's first line runs it with its own permission set and no other", async () => {
  const { permissions } = await json("deno.json") as { permissions: Record<string, unknown> };
  const names = [];
  for await (const { name } of Deno.readDir(join(ROOT, "scripts"))) {
    const script = name.replace(/\.ts$/, "");
    const text = await Deno.readTextFile(join(ROOT, "scripts", name));
    assertEquals(text.split("\n")[0], `#!/usr/bin/env -S deno run -q -P=${script}`);
    names.push(script);
  }
  assertEquals(names.toSorted(), COMMANDS.map(({ name }) => name).toSorted());
  assertEquals(Object.keys(permissions).toSorted(), names.toSorted());
});

Deno.test("each task of deno.json is in the README", async () => {
  const tasks = Object.keys((await json("deno.json")).tasks as object);
  const rows = table(section("## Development"), "Task").map(([task]) => spans(task!)[0]!);
  assertEquals(rows.toSorted(), tasks.map((task) => `deno task ${task}`).toSorted());
});

Deno.test("who runs a script downloads nothing that only tests need", async () => {
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));
  assertEquals(/playwright|microsoft-graph-client|fast-check/.test(lock), false);
});
