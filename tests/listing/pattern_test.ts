import { assertEquals, assertMatch } from "../assert.ts";
import { Filter, type FilterOptions, matchesPattern } from "../../lib/drive/pattern.ts";
import { parseLocation } from "../../lib/drive/location.ts";
import { startTestEnv, type TestEnv } from "../test_env.ts";

Deno.test("matchesPattern() matches names, and any number of folders for **", () => {
  const matches = (pattern: string, path: string) => matchesPattern(pattern.split("/"), path);
  const cases: [pattern: string, matching: string[], others: string[]][] = [
    ["*.docx", ["a.docx", ".docx", "A.DOCX", "a b.docx"], ["a.docx.tmp", "x/a.docx", "docx"]],
    ["?.txt", ["a.txt", "ä.txt", "😀.txt"], [".txt", "ab.txt"]],
    ["*/x", ["a/x"], ["x", "a/b/x"]],
    ["**/x", ["x", "a/x", "a/b/x"], ["a/b", "ax"]],
    ["a/**/b/*", ["a/b/c", "a/x/y/b/c"], ["a/b", "a/c"]],
    ["a/**", ["a/b", "a/b/c"], ["a", "b"]],
    ["**/**/x", ["x", "a/b/x"], ["a"]],
    ["Report [1] {a,b}.*", ["Report [1] {a,b}.pdf"], ["Report 1 a.pdf"]],
    ["(a+b)$*", ["(a+b)$", "(a+b)$ 2"], ["aab"]],
    ["a**b", ["ab", "axb"], ["a"]],
  ];
  for (const [pattern, matching, others] of cases) {
    for (const path of matching) assertEquals(matches(pattern, path), true, `${pattern} ${path}`);
    for (const path of others) assertEquals(matches(pattern, path), false, `${pattern} ${path}`);
  }
});

Deno.test("Filter selects paths as rclone does", () => {
  const cases: [FilterOptions, taken: string[], others: string[]][] = [
    [{}, ["a", "a/b"], []],
    [{ include: ["*.jpg"] }, ["a.jpg", "x/a.jpg", "x/A.JPG"], ["a.jpg/b", "a.png"]],
    [{ include: ["/*.jpg"] }, ["a.jpg"], ["x/a.jpg"]],
    [{ include: ["x/*.jpg"] }, ["x/a.jpg", "y/x/a.jpg"], ["a.jpg", "yx/a.jpg", "x/y/a.jpg"]],
    [{ include: ["/x/**"] }, ["x/a", "x/y/a"], ["a", "y/x/a"]],
    [{ include: ["x/"] }, ["x/a", "y/x/z/a"], ["x"]],
    [{ include: ["*.jpg", "*.png"] }, ["a.jpg", "a.png"], ["a.gif"]],
    [{ exclude: ["*.tmp", "old/**"] }, ["a", "a.tmp/b", "bold/a"], [
      "a.tmp",
      "x/a.tmp",
      "old/a",
      "x/old/y/a",
    ]],
    [{ include: ["*.jpg"], exclude: ["thumbs/**"] }, ["a.jpg"], ["thumbs/a.jpg", "a.png"]],
    [{ include: ["[a].{b}?"] }, ["[a].{b}c"], ["a.bc"]],
  ];
  for (const [options, taken, others] of cases) {
    const filter = new Filter(options);
    for (const path of taken) {
      assertEquals(filter.takes(path, false), true, `${JSON.stringify(options)} ${path}`);
    }
    for (const path of others) {
      assertEquals(filter.takes(path, false), false, `${JSON.stringify(options)} ${path}`);
    }
  }
});

Deno.test("Filter skips folders that are excluded as a whole", () => {
  const filter = new Filter({ exclude: ["old/**", "/cache/", "*.tmp", "**/deep/**"] });
  const entered = ["old", "x/old", "cache", "x/cache", "a.tmp", "x/deep"].map((path) =>
    filter.takes(path, true)
  );
  assertEquals(entered, [false, false, false, true, true, false]);
});

Deno.test("parseLocation() separates the names from the first wildcard on", () => {
  const cases: [string, string[], string[] | undefined, boolean][] = [
    ["General/*.docx", ["General"], ["*.docx"], false],
    ["me:*/a/", [], ["*", "a"], true],
    ["drive:Archive/a/**/b?", ["a"], ["**", "b?"], false],
    ["site:contoso.sharepoint.com/sites/T/*", [], ["*"], false],
    ["General/[a]{b}", ["General", "[a]{b}"], undefined, false],
  ];
  for (const [text, path, pattern, folder] of cases) {
    const parsed = parseLocation(text, "contoso.sharepoint.com");
    assertEquals([parsed.path, parsed.pattern, parsed.folder], [path, pattern, folder], text);
  }
});

async function listed(env: TestEnv, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await env.run("ls", ...args);
  assertEquals(code, 0, stderr);
  return stdout.split("\n").filter(Boolean);
}

Deno.test("ls lists what matches wildcards, in any folder for **", async () => {
  await using env = await startTestEnv();
  const cases: [string[], string[]][] = [
    [["General/*.DOCX"], ["General/Report.docx"]],
    [["Gen*"], ["General/"]],
    [["General/M*"], ["General/Minutes/"]],
    [["-R", "General/M*"], ["General/Minutes/", "General/Minutes/Minutes 2025-10.pdf"]],
    [["General/*/"], ["General/Minutes/"]],
    [["Gen*/*/*.pdf"], ["General/Minutes/Minutes 2025-10.pdf"]],
    [["General/**/*.pdf"], ["General/Minutes/Minutes 2025-10.pdf"]],
    [["General/?udget*", "General/*.md"], ["General/Budget 2026.xlsx", "General/Agenda.md"]],
  ];
  for (const [args, lines] of cases) assertEquals(await listed(env, ...args), lines, args.join(" "));
});

Deno.test("ls with wildcards lists only the folders in which something may match", async () => {
  await using env = await startTestEnv();
  const before = env.sandbox.requests.length;
  await listed(env, "Gen*/Min*/*");
  const listings = env.sandbox.requests.slice(before).filter(({ path }) => path.includes("/children"));
  assertEquals(listings.length, 3);
});

Deno.test("ls fails with exit code 3 if nothing matches, and 2 for wildcards outside of paths", async () => {
  await using env = await startTestEnv();
  const cases: [string, number, RegExp][] = [
    ["General/*.nope", 3, /General\/\*\.nope matches nothing; write wildcards in quotes.*\(noMatch\)/],
    ["General/Agenda.md/*", 3, /matches nothing/],
    ["Nope/*", 3, /Nope\/\*: it does not exist/],
    ["General/*:x", 2, /illegalName/],
    ["site:*/General", 2, /illegalName/],
  ];
  for (const [location, code, text] of cases) {
    const result = await env.run("ls", location);
    assertEquals(result.code, code, location);
    assertMatch(result.stderr, text);
  }
});

Deno.test("ls --include and --exclude select from the contents of folders", async () => {
  await using env = await startTestEnv();
  const cases: [string[], string[]][] = [
    [["-R", "General", "--include", "*.pdf", "--include=*.docx"], [
      "General/Report.docx",
      "General/Minutes/Minutes 2025-10.pdf",
    ]],
    [["General", "--include", "*.md"], ["Agenda.md"]],
    [["-R", "General", "--exclude", "minutes/", "--exclude", "*.*"], ["General/Team Notebook"]],
  ];
  for (const [args, lines] of cases) assertEquals(await listed(env, ...args), lines, args.join(" "));
});
