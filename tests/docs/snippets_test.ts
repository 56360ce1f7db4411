/** The snippets, settings and fault rules of the documentation work as described. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { EXIT_CODES } from "../../lib/errors.ts";
import { readSettings, type SettingDefinition, SETTINGS } from "../../lib/settings.ts";
import { join, toFileUrl } from "../../lib/std.ts";
import { parseFaultRules } from "../sandbox/fault_file.ts";
import { isFaultName } from "../sandbox/known_faults.ts";
import { denoRun, jsonLines, ROOT, runProcess, startTestEnv, type TestEnv } from "../test_env.ts";
import { block, blocks, section, spans, table, TEXTS } from "./markdown.ts";

/** Runs a snippet of lib/README.md with the permission set that it names. */
async function runSnippet(env: TestEnv, file: string, ...args: string[]) {
  const guide = TEXTS["lib/README.md"];
  const [, set] = new RegExp(`deno run -q -P=([\\w-]+) -R -W ${file}`).exec(guide) ?? [];
  assert(set, `lib/README.md does not say how to run ${file}`);
  const [, text] = new RegExp(`\`${file}\`.*?\`\`\`ts\n(.*?)\`\`\``, "s").exec(guide)!;
  const lib = new URL("lib/", toFileUrl(`${ROOT}/`));
  await env.file(file, text!.replaceAll('"./lib/', `"${lib}`));
  const { loginOrigin, apiOrigin, storageOrigin } = env.sandbox;
  const hosts = [loginOrigin, apiOrigin, storageOrigin].map((origin) => new URL(origin).host);
  const flags = [`-P=${set}`, "-R", "-W", `--allow-net=${hosts.join(",")}`];
  return await runProcess(denoRun("--check", ...flags, file, ...args), {
    env: env.sandbox.env,
    cwd: env.folder,
  });
}

Deno.test("the snippet sum-sizes.ts prints what lib/README.md shows", async () => {
  await using env = await startTestEnv();

  const { code, stdout, stderr } = await runSnippet(env, "sum-sizes.ts", "General");

  assertEquals([code, stderr], [0, ""]);
  const [, shown] = block("lib/README.md", "console", "sum-sizes.ts").split(/^\$ .*\n/);
  assertEquals(stdout, shown);
});

Deno.test("the snippet upload.ts uploads a file and explains a failure", async () => {
  await using env = await startTestEnv();
  await env.file("notes.txt", "Hello from the sandbox.\n");

  const uploaded = await runSnippet(env, "upload.ts", "notes.txt", "General/");
  assertEquals([uploaded.code, uploaded.stderr], [0, ""]);
  const [result] = jsonLines(uploaded.stdout);
  assertEquals([result!.path, result!.result, result!.bytes], ["General/notes.txt", "created", 24]);

  const failed = await runSnippet(env, "upload.ts", "notes.txt", "Nowhere/");
  assertEquals([failed.code, failed.stdout], [EXIT_CODES.notFound, ""]);
  assertMatch(failed.stderr, /^the folder Nowhere does not exist/);
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

Deno.test("tests/README.md lists the options of the sandbox as --help does", async () => {
  const main = join(ROOT, "tests", "sandbox", "main.ts");
  const { stdout } = await runProcess(denoRun("-A", main, "--help"), {});

  const options = [...stdout.matchAll(/^ {2}(--\S+(?: [A-Z]\S*)?)/gm)].map(([, option]) => option!);

  const rows = table(section("tests/README.md", "The sandbox"), "Option");
  assertEquals(rows.map(([option]) => spans(option!)[0]!), options);
});

Deno.test("the fault rules and fault names of tests/README.md are valid", () => {
  const faults = section("tests/README.md", "Faults");
  const rules = blocks(faults).filter(({ language }) => language === "json");
  assertEquals(rules.map(({ text }) => parseFaultRules(text).length), [2, 1]);
  const names = /--fault (\S+)$/m.exec(block("tests/README.md", "console", "--fault"))![1]!.split(",");
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
