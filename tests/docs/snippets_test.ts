/** The snippets, settings and fault rules of the documentation work as described. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { EXIT_CODES } from "../../lib/errors.ts";
import { readSettings, type SettingDefinition, SETTINGS } from "../../lib/settings.ts";
import { pathToFileURL } from "node:url";
import { join } from "../../lib/std.ts";
import { parseFaultRules } from "../sandbox/fault_file.ts";
import { isFaultName } from "../sandbox/known_faults.ts";
import { denoRun, ROOT, runProcess, startTestEnv, type TestEnv } from "../test_env.ts";
import { block, blocks, section, spans, table, TEXTS } from "./markdown.ts";

/** Runs a snippet of lib/README.md with the permission set that it names. */
async function runSnippet(env: TestEnv, file: string, ...args: string[]) {
  const guide = TEXTS["lib/README.md"];
  const [, set] = new RegExp(`deno run -q -P=([\\w-]+) -R -W ${file}`).exec(guide) ?? [];
  assert(set, `lib/README.md does not say how to run ${file}`);
  const [, text] = new RegExp(`\`${file}\`.*?\`\`\`ts\n(.*?)\`\`\``, "s").exec(guide)!;
  const lib = new URL("lib/", pathToFileURL(`${ROOT}/`));
  await env.file(file, text!.replaceAll('"./lib/', `"${lib}`));
  const { loginOrigin, apiOrigin, storageOrigin } = env.sandbox;
  const hosts = [loginOrigin, apiOrigin, storageOrigin].map((origin) => new URL(origin).host);
  const flags = [`-P=${set}`, "-R", "-W", `--allow-net=${hosts.join(",")}`];
  return await runProcess(denoRun("--check", ...flags, file, ...args), {
    env: env.sandbox.env,
    cwd: env.folder,
  });
}

Deno.test("the snippets of lib/README.md are short", () => {
  const snippets = blocks(section("lib/README.md", "Snippets")).filter(({ language }) => language === "ts");
  assertEquals(snippets.length, 6);
  for (const { text } of snippets) assert(text.trimEnd().split("\n").length <= 15, text);
});

Deno.test("the snippet sum-sizes.ts prints what lib/README.md shows", async () => {
  await using env = await startTestEnv();

  const { code, stdout, stderr } = await runSnippet(env, "sum-sizes.ts", "General");

  assertEquals([code, stderr], [0, ""]);
  const [, shown] = block("lib/README.md", "console", "sum-sizes.ts").split(/^\$ .*\n/);
  assertEquals(stdout, shown);
});

Deno.test("the snippet share.ts uploads a file, prints a link, and fails as the scripts do", async () => {
  await using env = await startTestEnv();
  await env.file("notes.txt", "Hello from the sandbox.\n");

  const shared = await runSnippet(env, "share.ts", "notes.txt", "General/");
  const link = env.sandbox.tenant.shareLink("Documents", "General/notes.txt");
  assertEquals(shared, { code: 0, stdout: `General/notes.txt ${link}\n`, stderr: "" });

  const failed = await runSnippet(env, "share.ts", "notes.txt", "General/");
  assertEquals([failed.code, failed.stdout], [EXIT_CODES.conflict, ""]);
  assertMatch(failed.stderr, /^share: .*General\/notes\.txt.*\(HTTP 409 nameAlreadyExists, request-id /);
});

Deno.test("the snippet archive.ts moves files to folders by month", async () => {
  await using env = await startTestEnv();
  const { children } = env.sandbox.tenant.find("Documents", "General")!;

  const { code, stdout, stderr } = await runSnippet(env, "archive.ts", "General", "Old");

  assertEquals([code, stderr], [0, ""]);
  const archived = env.sandbox.tenant.find("Documents", "Old/2025-10")!;
  assertEquals(stdout.trim().split("\n"), archived.children.map((name) => `Old/2025-10/${name}`));
  const left = env.sandbox.tenant.find("Documents", "General")!.children;
  assertEquals([...archived.children, ...left].toSorted(), children.toSorted());
  assertEquals(left, ["Minutes", "Team Notebook"]);
});

Deno.test("the snippet new-project.ts copies a folder to another site", async () => {
  await using env = await startTestEnv();

  const target = "site:contoso.sharepoint.com/sites/TestTeam-Leads/P1";
  const { code, stdout, stderr } = await runSnippet(env, "new-project.ts", "General/Minutes", target);

  assertEquals([code, stderr], [0, ""]);
  assertEquals(env.sandbox.tenant.find("Leads", "P1")!.children, ["Minutes 2025-10.pdf"]);
  const [, shown] = block("lib/README.md", "console", "new-project.ts").split(/^\$ .*\n/);
  assertEquals(stdout.split(" ")[0], shown!.split(" ")[0]);
  assertStringIncludes(stdout, ` ${env.sandbox.tenant.shareLink("Leads", "P1")}`);
});

Deno.test("the snippet clean-up.ts removes old files only, and nothing without a number of days", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/New.txt", "new");
  const left = () => env.sandbox.tenant.find("Documents", "General")!.children;
  const all = left();

  for (const days of ["", "many"]) {
    assertEquals(await runSnippet(env, "clean-up.ts", "General", days), { code: 0, stdout: "", stderr: "" });
  }
  assertEquals(left(), all);
  const { code, stdout, stderr } = await runSnippet(env, "clean-up.ts", "General", "30");

  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^removed General\/Agenda\.md\n/);
  assertEquals(left(), ["Minutes", "Team Notebook", "New.txt"]);
});

Deno.test("the snippet backup.ts downloads the libraries of a site, then what has changed", async () => {
  await using env = await startTestEnv();
  const backUp = () => runSnippet(env, "backup.ts", "contoso.sharepoint.com", "backup");

  const first = await backUp();
  const second = await backUp();

  const [, shown] = block("lib/README.md", "console", "backup.ts").split(/^\$ .*\n/);
  assertEquals(first, { code: 0, stdout: shown, stderr: "" });
  assertEquals(second.stdout, "Documents: 1 files, 1 unchanged\n");
  assertEquals(
    await Deno.readTextFile(join(env.folder, "backup", "Documents", "Welcome.txt")),
    "Welcome to Contoso.\n",
  );
});

Deno.test("the config file of the README is valid, and secrets in it are rejected", async () => {
  const home = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const read = async (text: string) => {
      await Deno.writeTextFile(join(home, "graph-scripts.json"), text);
      return await readSettings({ home }, () => undefined);
    };
    const example = block("README.md", "json", '"tenantId"');
    const settings = await read(example);
    for (const [name, value] of Object.entries<string>(JSON.parse(example))) {
      assertEquals(settings[name as "site"], value);
    }
    for (const [name, { inFile = true }] of Object.entries<SettingDefinition>(SETTINGS)) {
      if (inFile) continue;
      const refusal = await read(JSON.stringify({ [name]: "x" })).then(() => "accepted", String);
      assertMatch(refusal, new RegExp(`${name} is not a setting of this file`));
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("tests/sandbox/README.md lists the options of the sandbox as --help does", async () => {
  const main = join(ROOT, "tests", "sandbox", "main.ts");
  const { stdout } = await runProcess(denoRun("-A", main, "--help"), {});

  const options = [...stdout.matchAll(/^ {2}(--\S+(?: [A-Z]\S*)*)/gm)].map(([, option]) => option!);

  const rows = table(section("tests/sandbox/README.md", "Options"), "Option");
  assertEquals(rows.map(([option]) => spans(option!)[0]!), options);
});

Deno.test("the fault rules and fault names of tests/sandbox/README.md are valid", () => {
  const faults = section("tests/sandbox/README.md", "Faults");
  const rules = blocks(faults).filter(({ language }) => language === "json");
  assertEquals(rules.map(({ text }) => parseFaultRules(text).length), [2, 1]);
  const names = /--fault (\S+)$/m.exec(block("tests/sandbox/README.md", "console", "--fault"))![1]!.split(
    ",",
  );
  for (const name of names) assert(isFaultName(name), name);
  const fields = table(faults, "Field").flatMap(([cell]) => spans(cell!));
  for (const field of fields) {
    // An unknown field fails by its name, a known one at most by its value.
    let refusal = "";
    try {
      parseFaultRules(JSON.stringify([{ [field]: null }]));
    } catch (error) {
      refusal = (error as Error).message;
    }
    assert(!refusal.includes("there is no field"), refusal);
  }
});
