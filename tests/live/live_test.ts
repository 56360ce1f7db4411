import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Host } from "../../lib/cli/host.ts";
import { join } from "../../lib/std.ts";
import { ROOT, startTestEnv, type TestEnv } from "../test_env.ts";
import { main } from "./main.ts";
import { Report } from "./report.ts";

/** Runs the task in this process. */
async function live(
  { sandbox }: TestEnv,
  args: string[],
  env: Record<string, string> = {},
  /** Called with standard error so far, and how to interrupt. */
  onProgress: (stderr: string, interrupt: () => void) => void = () => {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  let interrupt = () => {};
  const stream = (name: "stdout" | "stderr") => ({
    isTerminal: () => false,
    writeSync(bytes: Uint8Array) {
      written[name] += new TextDecoder().decode(bytes);
      if (name === "stderr") onProgress(written.stderr, interrupt);
      return bytes.length;
    },
  });
  const variables: Record<string, string> = { ...sandbox.env, ...env };
  const host: Host = {
    env: (name) => variables[name],
    stdin: new ReadableStream(),
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    columns: () => 80,
    onInterrupt(handler) {
      interrupt = handler;
      return () => {};
    },
    exit(code) {
      throw new Error(`exit ${code}`);
    },
    http: {},
  };
  return { code: await main(args, host), ...written };
}

for (
  const [what, location, drive, as] of [
    ["a document library", "General", "Documents", "adele"],
    ["a OneDrive for work", "me:Documents/", "me", "adele"],
    ["a personal OneDrive", "me:Documents", "robin", "robin"],
  ] as const
) {
  Deno.test(`live finds no difference in ${what} of the sandbox, and leaves nothing there`, async () => {
    await using env = await startTestEnv();
    const { tenant } = env.sandbox;
    const before = tenant.find(drive, location.replace(/^me:|\/$/g, ""))!.children;
    const token = as === "robin" ? { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken({ as }) } : {};

    const { code, stdout, stderr } = await live(env, ["--location", location], token);

    assertEquals([code, stdout.match(/^\| [\dA-Z]\S* \| .* \| .* \| .* \|$/gm)], [0, null], stdout + stderr);
    assertMatch(stdout, /: \d\d\d? checks, no difference from lib\/graph\/PROTOCOL.md/);
    assertEquals(tenant.find(drive, location.replace(/^me:|\/$/g, ""))!.children, before);
    assertEquals(tenant.openSessions(), []);
  });
}

Deno.test("live finds no difference where SharePoint rewrites documents later", async () => {
  await using env = await startTestEnv({ fault: ["sharepoint-rewrite-told-late"] });

  const { code, stdout } = await live(env, ["--location", "General"]);

  assertEquals(code, 0, stdout);
});

Deno.test("live names the rule of each difference, without names or secrets", async () => {
  await using env = await startTestEnv();
  const { sandbox } = env;
  sandbox.addFault({ service: "storage", method: "PUT", when: "after", status: 200, body: {}, times: 1 });
  sandbox.addFault({ service: "graph", method: "DELETE", status: 403, times: 1 });

  const { code, stdout } = await live(env, ["--location", "General"]);

  assertEquals(code, 1, stdout);
  assertStringIncludes(stdout, "| 14e | removal with another eTag | 412 | 403 |");
  assertStringIncludes(stdout, "| 7.3a | a fragment | 202 | 200 |");
  const names = ["contoso", "Adele", "TestTeam", "127.0.0.1", sandbox.tenant.drive("Documents").id];
  for (const text of [...names, ...sandbox.tenant.secrets()]) assert(!stdout.includes(text), text);
});

Deno.test("live removes its folder after an error, and says how far it came", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ service: "graph", path: "/copy", status: 507, times: "always" });

  const { code, stdout } = await live(env, ["--location", "General"]);

  assertEquals(code, 1);
  assertStringIncludes(
    stdout,
    "| 9a | renames, copies, removal: ended early | no error | 507 quotaLimitReached |",
  );
  assert(!env.sandbox.tenant.find("Documents", "General")!.children.some((name) => name.includes("live")));
});

Deno.test("live removes its folder after an interruption", async () => {
  await using env = await startTestEnv();
  const { tenant } = env.sandbox;
  const before = tenant.find("Documents", "General")!.children;

  const { code, stdout, stderr } = await live(env, ["--location", "General"], {}, (stderr, interrupt) => {
    if (stderr.endsWith("listings\n")) interrupt();
  });

  assertEquals([code, stdout], [130, ""]);
  assertMatch(stderr, /listings\nlive: the folder was removed; .*\nlive: interrupted/);
  assertEquals(tenant.find("Documents", "General")!.children, before);
});

Deno.test("live says so where its folder cannot be removed", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ service: "graph", method: "DELETE", status: 403, times: "always" });

  const { code, stderr } = await live(env, ["--location", "General"]);

  assertEquals(code, 1);
  assertMatch(stderr, /the folder graph-scripts live \w{8} could not be removed: please remove it\n$/);
});

Deno.test("live sends nothing without a location", async () => {
  await using env = await startTestEnv();
  const { requests } = env.sandbox;
  const before = requests.length;
  for (const args of [[], ["--location"], ["General"], ["--location", "General", "--all"]]) {
    const { code, stderr } = await live(env, args);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /^live: (--location is missing; nothing was done|unexpected (General|--all))\nUsage: /,
    );
  }
  assertEquals(requests.length, before);
});

Deno.test("live fails with the scripts' exit code where its location is missing", async () => {
  await using env = await startTestEnv();

  const { code, stdout, stderr } = await live(env, ["--location", "No such folder"]);

  assertEquals([code, stdout], [3, ""]);
  assertMatch(stderr, /^live: the folder No such folder does not exist/m);
});

Deno.test("live checks rules that the protocol notes have", async () => {
  const protocol = await Deno.readTextFile(join(ROOT, "lib/graph/PROTOCOL.md"));
  const ids: string[] = [];
  for await (const { name } of Deno.readDir(join(ROOT, "tests/live"))) {
    if (name.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(join(ROOT, "tests/live", name));
    for (const [, id] of text.matchAll(/"((?:[ADELNU]|\d+\.)\d*[a-z]?|\d+[a-z])"/g)) ids.push(id!);
  }
  assert(ids.length > 40, `only ${ids.length} rules found`);
  assertEquals(ids.filter((id) => !protocol.includes(`\n| ${id} | `)), []);
});

Deno.test("a report lists differences and observations as tables", () => {
  const report = new Report();
  report.check("6a", "a new file", ["201", "200"], "201");
  report.check("6b", "fail | replace", "409", "200");
  report.observe("9b", "innerError", "no");
  const text = report.toText({
    cloud: "global",
    driveType: "business",
    version: "1.0.0",
    date: "2026-01-31",
  });
  assertEquals(
    text,
    "graph-scripts 1.0.0, 2026-01-31, cloud global, drive of type business: " +
      "2 checks, 1 difference from lib/graph/PROTOCOL.md\n\n" +
      "| rule | what | expected | seen |\n| --- | --- | --- | --- |\n| 6b | fail \\| replace | 409 | 200 |\n\n" +
      "What the notes leave open:\n\n" +
      "| rule | what | seen |\n| --- | --- | --- |\n| 9b | innerError | no |\n",
  );
});
