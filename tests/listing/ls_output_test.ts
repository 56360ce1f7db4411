/** What `ls` prints, on a terminal and in a pipe. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { displayWidth } from "../../lib/cli/table.ts";
import { jsonLines, startTestEnv } from "../test_env.ts";

Deno.test("ls prints columns on a terminal, and one name a line in a pipe", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/世界.txt", "x");

  const wide = await env.runWith({ terminal: 80 }, "ls", "Thousand");
  const narrow = await env.runWith({ terminal: 40 }, "ls", "General");
  const piped = await env.run("ls", "General");

  assertMatch(
    wide.stdout,
    /^Note 0001\.txt {2}Note 0201\.txt {2}Note 0401\.txt {2}Note 0601\.txt {2}Note 0801\.txt\n/,
  );
  assertEquals(wide.stdout.trimEnd().split("\n").length, 200);
  assert(narrow.stdout.split("\n").every((line) => displayWidth(line) <= 40), narrow.stdout);
  assertEquals(narrow.stdout.trimEnd().split("\n").length, 4);
  assertEquals(piped.stdout.trimEnd().split("\n").length, 7);
});

Deno.test("ls -l aligns rows on a terminal and ends with totals on standard error", async () => {
  await using env = await startTestEnv();
  const rows = [
    "file       30  2025-10-03 07:49:09  Megan Bowen  Agenda.md",
    "file     2371  2025-10-03 08:26:09  Megan Bowen  Budget 2026.xlsx",
    "file       67  2025-10-03 09:03:09  Megan Bowen  Logo.png",
    "folder    557  2025-10-03 10:17:09  Megan Bowen  Minutes/",
    "file     1305  2025-10-03 09:40:09  Megan Bowen  Report.docx",
    "package     0  2025-10-03 11:31:09  Megan Bowen  Team Notebook",
  ];

  const { stdout, stderr } = await env.runWith({ terminal: 80 }, "ls", "-l", "General");

  assertEquals(stdout.trimEnd().split("\n"), rows);
  assertEquals(stderr, "ls: 4 files (3773 bytes), 1 folder, 1 package\n");
  assertEquals((await env.run("ls", "-l", "--quiet", "General")).stderr, "");
  assertEquals((await env.run("ls", "-l", "--json", "General")).stderr, "");
});

Deno.test("ls -l in a pipe prints rows of fixed widths; -H prints human-readable sizes", async () => {
  await using env = await startTestEnv();

  assertEquals(
    (await env.run("ls", "-l", "General/Logo.png")).stdout,
    "file               67  2025-10-03 09:03:09  Megan Bowen           Logo.png\n",
  );
  const { stdout, stderr } = await env.run("ls", "-H", "General/Report.docx");
  assertEquals(stdout, "file          1.3 KiB  2025-10-03 09:40:09  Megan Bowen           Report.docx\n");
  assertEquals(stderr, "ls: 1 file (1.3 KiB)\n");
});

Deno.test("ls -l shortens authors where the terminal is narrow, and marks what is shared", async () => {
  await using env = await startTestEnv();
  const value = [
    { id: "1", name: "a.txt", file: {}, size: 1, shared: { scope: "users" } },
    {
      id: "2",
      name: "b.txt",
      file: {},
      size: 22,
      lastModifiedBy: { application: { displayName: "Backup job" } },
    },
  ];
  env.sandbox.addFault({ path: "/children", nth: 2, patch: { value } });
  env.sandbox.addFault({ path: "/children", patch: { value: [] } }); // so that it is listed by id

  const { stdout } = await env.runWith({ terminal: 36 }, "ls", "-l", "General");

  assertEquals(stdout, "file+   1  -  -           a.txt\nfile   22  -  Backup job  b.txt\n");
  assertMatch(
    (await env.runWith({ terminal: 50 }, "ls", "-l", "General")).stdout,
    / {2}Megan B… {2}Agenda\.md\n/,
  );
});

Deno.test("ls sorts by name, size or time, each location separately", async () => {
  await using env = await startTestEnv();
  const names = async (...args: string[]) => (await env.run("ls", ...args)).stdout.trimEnd().split("\n");

  assertEquals(await names("--sort", "size", "General"), [
    "Budget 2026.xlsx",
    "Report.docx",
    "Minutes/",
    "Logo.png",
    "Agenda.md",
    "Team Notebook",
  ]);
  assertEquals((await names("--sort", "time", "General")).slice(0, 2), ["Team Notebook", "Minutes/"]);
  assertEquals((await names("--sort", "name", "-R", "--type", "file", "General")).slice(-2), [
    "General/Minutes/Minutes 2025-10.pdf",
    "General/Report.docx",
  ]);
  assertEquals(await names("--sort", "size", "--type", "folder", "General", ""), [
    "General/Minutes/",
    "Thousand/",
    "General/",
  ]);
});

Deno.test("ls --type prints only items of that type, from all folders with -R", async () => {
  await using env = await startTestEnv();
  for (
    const [type, args, lines] of [
      ["folder", ["General"], "Minutes/\n"],
      ["package", ["-R", "General"], "General/Team Notebook\n"],
      ["link", ["me:"], "Campaign 2026\n"],
      ["link", ["General"], ""],
    ] as const
  ) {
    assertEquals((await env.run("ls", "--type", type, ...args)).stdout, lines, type);
  }
  const { code, stderr } = await env.run("ls", "--type", "notebook");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--type notebook: not one of file, folder, package, link");
});

Deno.test("ls -R prints locations that can be typed back", async () => {
  await using env = await startTestEnv();
  const [{ id, driveId }] = jsonLines<{ id: string; driveId: string }>(
    (await env.run("ls", "--json", "--type", "folder", "")).stdout,
  ) as [{ id: string; driveId: string }];
  const cases: [location: string, prefix: string][] = [
    ["General", "General/"],
    ["/General/", "General/"],
    ["me:", "me:"],
    ["me:Documents/", "me:Documents/"],
    ["site:TestTeam/General", "site:TestTeam/General/"],
    ["site:TestTeam/Documents/General", "site:TestTeam/Documents/General/"],
    ["drive:Documents/General", "drive:Documents/General/"],
    ["team:Test Team/General", "team:Test Team/General/"],
    [`id:${id}`, `drive:${driveId}/General/`],
    ["https://contoso.sharepoint.com/sites/TestTeam/Shared%20Documents/General", `drive:${driveId}/General/`],
  ];
  for (const [location, prefix] of cases) {
    const { stdout, stderr } = await env.run("ls", "-R", "--type", "file", location);
    const last = stdout.trimEnd().split("\n").at(-1)!;
    assert(last.startsWith(prefix), `${location}: ${last}${stderr}`);
    const again = await env.run("ls", "-R", last);
    assertEquals([again.code, again.stdout], [0, `${last}\n`], again.stderr);
  }
});

Deno.test("ls prints what it listed before a failure", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ path: "$skiptoken", status: 403, times: "always" });

  const { code, stdout } = await env.runWith({ terminal: 80 }, "ls", "-l", "Thousand");

  assertEquals(code, 5);
  assertEquals(stdout.trimEnd().split("\n").length, 200);
});

Deno.test("ls --sites, --drives and --teams print tables that fit, and ids with -l", async () => {
  await using env = await startTestEnv();
  const terminal = { terminal: 80 };

  const sites = (await env.runWith(terminal, "ls", "--sites")).stdout;
  const drives = (await env.runWith(terminal, "ls", "--drives")).stdout;
  const teams = (await env.runWith(terminal, "ls", "--teams")).stdout;

  assertMatch(sites, /^TestTeam {8}https:\/\/contoso\.sharepoint\.com\/sites\/TestTeam$/m);
  assertMatch(drives, /^Archive {4}https:\/\/contoso\.sharepoint\.com\/sites\/TestTeam\/Archive$/m);
  assertEquals(teams, "Test Team  Where we try things out\n");
  for (const line of (sites + drives + teams).split("\n")) assert(displayWidth(line) <= 80, line);
  assertMatch((await env.run("ls", "--teams", "-l")).stdout, /^Test Team {2}[\da-f-]{36} {2}Where/);
  assertEquals((await env.run("ls", "--teams", "--drives")).code, 2);
  assertEquals((await env.run("ls", "--teams", "General")).code, 2);
});

Deno.test("--fields prints these fields of JSON, in this order, and rejects unknown ones before anything is sent", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");

  assertEquals(
    (await env.run("ls", "--fields", "size,name", "General/Agenda.md")).stdout,
    '{"size":30,"name":"Agenda.md"}\n',
  );
  assertEquals(
    (await env.run("put", "--json", "--fields=path, result", file, "General/")).stdout,
    '{"path":"General/a.txt","result":"created"}\n',
  );
  assertEquals((await env.run("whoami", "--fields", "cloud")).stdout, '{"cloud":"global"}\n');
  const { length } = env.sandbox.requests;
  const { code, stderr } = await env.run("put", "--fields", "path,nme", file, "General/");
  assertEquals([code, env.sandbox.requests.length], [2, length]);
  assertMatch(stderr, /--fields path,nme: .*nme.* is not one of path, local/);
});

Deno.test("ls --drives shows the OneDrive that the service leaves out (PROTOCOL L1)", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ service: "graph", path: "/me/drives", status: 200, body: { value: [] } });

  const { stdout } = await env.runWith({ env: { GRAPH_SITE: "" } }, "ls", "--drives");

  assertMatch(stdout, /^OneDrive /m);
});

Deno.test("ls --sites suggests a URL to users who may not open the root site (PROTOCOL L5)", async () => {
  await using env = await startTestEnv();
  const body = { error: { code: "itemNotFound", message: "x" } };
  env.sandbox.addFault({ service: "graph", path: "/sites?search=", status: 404, body, times: "always" });

  const { code, stderr } = await env.run("ls", "--sites");

  assertEquals(code, 5);
  assertMatch(stderr, /may not open the tenant's root site; address the site by its URL instead/);
});
