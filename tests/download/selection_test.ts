import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

/** Paths of the files and folders below a local folder. */
async function tree(folder: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = below + name;
    paths.push(...isDirectory ? [`${path}/`, ...await tree(folder, `${path}/`)] : [path]);
  }
  return paths.toSorted();
}

async function withFolder(): Promise<TestEnv> {
  const env = await startTestEnv();
  await Deno.mkdir(join(env.folder, "out"));
  return env;
}

Deno.test("get downloads what matches wildcards into a folder, and skips what is not a file", async () => {
  const cases: [string[], string[], RegExp][] = [
    [["General/*.md"], ["Agenda.md"], /^$/],
    [["General/**/*.pdf", "General/R*"], ["Minutes 2025-10.pdf", "Report.docx"], /^get: 2 downloaded/],
    [["-r", "General/M*"], ["Minutes/", "Minutes/Minutes 2025-10.pdf"], /^$/],
    [
      ["General/*a*"],
      ["Agenda.md"],
      /^get: General\/Team Notebook is skipped: a OneNote notebook has no content/,
    ],
    [["General/*m*"], ["Agenda.md"], /General\/Minutes is skipped: use -r to include folders/],
  ];
  for (const [args, files, notice] of cases) {
    await using env = await withFolder();
    const { code, stderr } = await env.run("get", ...args, "out");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, notice);
    assertEquals(await tree(join(env.folder, "out")), files, args.join(" "));
  }
});

Deno.test("get with wildcards needs a folder, and a file that matches", async () => {
  await using env = await withFolder();
  const cases: [string[], number, RegExp][] = [
    [["General/*.md", "new.md"], 2, /new\.md is not a folder/],
    [["General/*.md", "-"], 2, /standard output takes one file/],
    [["General/*.nope", "out"], 3, /matches nothing/],
    [["--include", "*.md", "General/Agenda.md", "out"], 2, /add -r/],
  ];
  for (const [args, code, text] of cases) {
    const result = await env.run("get", ...args);
    assertEquals(result.code, code, args.join(" "));
    assertMatch(result.stderr, text);
  }
});

Deno.test("get reports files of one name that wildcards find in two folders", async () => {
  await using env = await withFolder();
  env.sandbox.tenant.addFile("Documents", "General/A/x.txt", "1");
  env.sandbox.tenant.addFile("Documents", "General/B/x.txt", "2");

  const { code, stderr } = await env.run("get", "General/*/x.txt", "out");

  assertEquals(code, 6);
  assertMatch(stderr, /General\/A\/x\.txt and General\/B\/x\.txt would both become x\.txt/);
});

Deno.test("get -r --include and --exclude take only what they select, and no empty folders for --include", async () => {
  const cases: [string[], string[]][] = [
    [["--include", "*.pdf"], ["Minutes/", "Minutes/Minutes 2025-10.pdf"]],
    [["--include", "*.md", "--include", "*.nope"], ["Agenda.md"]],
    [["--exclude", "Minutes/**", "--exclude", "*.*x"], ["Agenda.md", "Logo.png"]],
    [["--exclude", "*.*"], ["Minutes/"]],
  ];
  for (const [args, files] of cases) {
    await using env = await withFolder();
    const { code, stderr } = await env.run("get", "-r", "General", "copy", ...args);
    assertEquals(code, 0, stderr);
    assertEquals(await tree(join(env.folder, "copy")), files, args.join(" "));
  }
});

Deno.test("get --from - downloads the items of ls --json, also of other drives", async () => {
  await using env = await withFolder();
  const lines = [
    (await env.run("ls", "-R", "--json", "General")).stdout,
    "\n",
    (await env.run("ls", "--json", "me:Documents")).stdout,
  ].join("");
  const expected = jsonLines(lines).filter(({ type }) => type === "file").map(({ name }) => name).toSorted();
  const stdin = new TextEncoder().encode(lines.trimEnd());

  const { code, stdout, stderr } = await env.runWith({ stdin }, "get", "--json", "--from", "-", "out");

  assertEquals(code, 0, stderr);
  assertMatch(stderr, /General\/Minutes is skipped: use -r/);
  assertEquals(await tree(join(env.folder, "out")), expected);
  assertEquals(jsonLines(stdout).map(({ result }) => result), expected.map(() => "downloaded"));
});

Deno.test("get --from - rejects lines without ids, and reports items that are gone", async () => {
  await using env = await withFolder();
  const [agenda] = jsonLines((await env.run("ls", "--json", "General/Agenda.md")).stdout);
  const gone = JSON.stringify({ ...agenda, id: "01NOPE", path: "General/Gone.md" });
  const cases: [string[], string, number, RegExp][] = [
    [
      ["out"],
      `${JSON.stringify(agenda)}\nAgenda.md\n`,
      2,
      /no item with id and driveId: Agenda\.md; pass lines of ls --json/,
    ],
    [["out"], gone, 3, /General\/Gone\.md: it does not exist/],
    [["out", "x"], "", 2, /--from takes no LOCATION: out/],
    [["-"], "", 2, /standard output takes one file/],
    [["out"], "", 0, /^$/],
  ];
  for (const [args, text, code, message] of cases) {
    const stdin = new TextEncoder().encode(text);
    const result = await env.runWith({ stdin }, "get", "--from", "-", ...args);
    assertEquals(result.code, code, result.stderr);
    assertMatch(result.stderr, message);
  }
  const { code, stderr } = await env.run("get", "--from", "list.jsonl");
  assertEquals(code, 2);
  assertMatch(stderr, /--from reads standard input only: list\.jsonl/);
});

Deno.test("results of get and put have the address of the item in a browser", async () => {
  await using env = await withFolder();
  const file = await env.file("a.txt", "a");
  const [item] = jsonLines((await env.run("ls", "--json", "General/Agenda.md")).stdout);

  const [got] = jsonLines((await env.run("get", "--json", "General/Agenda.md", "out")).stdout);
  const [sent] = jsonLines((await env.run("put", "--json", file, "General/")).stdout);

  assertEquals(got!.webUrl, item!.webUrl);
  assertMatch(String(sent!.webUrl), /^https:\/\/.*\/General\/a\.txt$/);
});
