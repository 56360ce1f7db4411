import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { jsonLines, startTestEnv } from "../test_env.ts";

Deno.test("ls prints names, folders with a slash; with several locations whole paths", async () => {
  await using b = await startTestEnv();
  assertMatch((await b.run("ls", "General")).stdout, /^Agenda\.md\n[\s\S]*^Minutes\/\n/m);
  assertMatch((await b.run("ls", "General", "Thousand")).stdout, /^General\/Agenda\.md\n/);
  assertMatch(
    (await b.run("ls", "-l", "General/Agenda.md")).stdout,
    /^file +30 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}Agenda\.md\n$/,
  );
});

Deno.test("ls --json has the fields of the contract, in their order", async () => {
  await using b = await startTestEnv();
  const items = jsonLines((await b.run("ls", "--json", "General")).stdout);
  assertEquals(Object.keys(items[0]!), [
    "path",
    "name",
    "type",
    "size",
    "modified",
    "id",
    "driveId",
    "eTag",
    "hash",
    "webUrl",
  ]);
  assertEquals(new Set(items.map(({ type }) => type)), new Set(["file", "folder", "package"]));
});

Deno.test("a folder of 1,000 is listed completely, page by page, without download links", async () => {
  await using b = await startTestEnv();
  const { stdout } = await b.run("ls", "Thousand");
  assertEquals(new Set(stdout.trim().split("\n")).size, 1000);
  const pages = b.sandbox.requests.filter(({ path }) => path.includes("/children"));
  assertEquals(pages.length, 5);
  assert(
    pages.every(({ path }) => path.includes("$top") || path.includes("$skiptoken")),
    "a page was asked for otherwise",
  );
});

Deno.test("items are printed as their page arrives, not gathered", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({ path: "$skiptoken", nth: 2, delayMs: 3000 });
  const child = b.spawn("ls", "Thousand");
  const started = performance.now();
  const reader = child.stdout.getReader();
  await reader.read();
  assert(performance.now() - started < 2500, "nothing was printed before the slow page");
  reader.releaseLock();
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  await child.status;
});

Deno.test("a reader that stops reading ends ls quietly", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({ path: "$skiptoken", delayMs: 300 });
  const child = b.spawn("ls", "Thousand");
  await child.stdout.cancel();
  const [stderr, { code }] = await Promise.all([new Response(child.stderr).text(), child.status]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("ls -R lists what is below, and does not follow shortcuts", async () => {
  await using b = await startTestEnv();
  const { stdout, code } = await b.run("ls", "-R", "General");
  assertEquals(code, 0);
  assertMatch(stdout, /^General\/Minutes\/\S/m);
  assertEquals((await b.run("ls", "-R", "me:")).code, 0);
});

Deno.test("an empty page is not the end, repeated items are dropped, a loop of pages is an error", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({ path: /children\?\$top/, patch: { value: [] } });
  assertEquals((await b.run("ls", "Thousand")).stdout.trim().split("\n").length, 800);
  b.sandbox.clearFaults();
  let next = "";
  b.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (answer) => {
      const page = JSON.parse(answer.body as string);
      next ||= page["@odata.nextLink"];
      return {
        ...answer,
        body: JSON.stringify({ ...page, "@odata.nextLink": next }),
      };
    },
  });
  const { code, stderr } = await b.run("ls", "Thousand");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "repeats the same page");
});

Deno.test("a link to further pages on another host never gets the token", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({
    path: "/children",
    patch: { "@odata.nextLink": `${b.sandbox.storageOrigin}/v1.0/steal` },
  });
  const { code, stderr } = await b.run("ls", "Thousand");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "link to another host");
  assert(b.sandbox.requests.every(({ path }) => !path.includes("steal")), "the other host was asked");
});

Deno.test("sites and drives are found by every form of location that this version knows", async () => {
  await using b = await startTestEnv();
  const [item] = jsonLines((await b.run("ls", "--json", "General/Agenda.md")).stdout);
  const forms = [
    "site:contoso.sharepoint.com/sites/TestTeam/General/Agenda.md",
    "site:TestTeam/General/Agenda.md",
    "site:TestTeam/Documents/General/Agenda.md",
    "site:TestTeam/Shared Documents/General/Agenda.md",
    "drive:Documents/General/Agenda.md",
    `drive:${item!.driveId}/General/Agenda.md`,
    `id:${item!.id}`,
    `id:${item!.driveId}/${item!.id}`,
  ];
  for (const form of forms) {
    const { code, stdout, stderr } = await b.run("ls", "--json", form);
    assertEquals(code, 0, `${form}: ${stderr}`);
    assertEquals(jsonLines(stdout)[0], item, form);
  }
  assertMatch((await b.run("ls", "--drives")).stdout, /^Documents {2}b!\S+ {2}https:/);
  assertMatch((await b.run("ls", "--sites", "Market")).stdout, /^Marketing {2}https:/);
  assertEquals((await b.runWith({ env: { GRAPH_SITE: "" } }, "ls", "--drives")).code, 0);
});

Deno.test("a name that fits twice is an error that lists the candidates", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFolder("Documents", "Archive");
  const { code, stderr } = await b.run("ls", "site:TestTeam/Archive");
  assertEquals(code, 2);
  assertMatch(stderr, /drive:b!\S+ or drive:b!\S+/);
});

Deno.test("own files are asked for with the permission for own files alone", async () => {
  await using b = await startTestEnv();
  assertEquals((await b.run("ls", "me:Documents")).code, 0);
  const grants = await scopesAsked(b.sandbox.requests.length, () => b.run("ls", "me:Documents"));
  assertEquals(grants, 0);
  await using narrow = await startTestEnv({ consented: ["User.Read", "Files.Read"] });
  assertEquals((await narrow.run("ls", "me:Documents")).code, 0);
  assertEquals((await narrow.run("ls", "General")).code, 5);

  async function scopesAsked(before: number, run: () => Promise<unknown>): Promise<number> {
    await run();
    return b.sandbox.requests.slice(before).filter(({ service }) => service === "login").length;
  }
});

Deno.test("names with every odd character that is legal are found", async () => {
  await using b = await startTestEnv();
  const names = [
    "a#1.txt",
    "50%.txt",
    "a%2Fb.txt",
    "x+y.txt",
    "it's.txt",
    "Ümläut 世界.txt",
    "a & b.txt",
    "(1) [2] {3}~!.txt",
    "a=b,c;d@e$f.txt",
  ];
  for (const name of names) b.sandbox.tenant.addFile("Documents", `Odd #1/${name}`, name);
  assertEquals((await b.run("ls", "Odd #1")).stdout.trim().split("\n").toSorted(), names.toSorted());
  for (const name of names) {
    const { stdout, stderr } = await b.runProcess("get", `Odd #1/${name}`, "-");
    assertEquals(stdout, name, stderr);
  }
});

Deno.test("several locations are all tried; the first failure decides the exit code", async () => {
  await using b = await startTestEnv();
  const { code, stdout, stderr } = await b.run("ls", "Nope", "General", "id:nope");
  assertEquals(code, 3);
  assertStringIncludes(stdout, "General/Agenda.md");
  assertEquals(stderr.trim().split("\n").length, 2);
  const json = jsonLines<{ error: Record<string, unknown> }>((await b.run("ls", "--json", "Nope")).stderr);
  assertEquals(Object.keys(json[0]!.error), ["code", "message", "hint", "status", "requestId", "date"]);
});

Deno.test("names of other people are shown with their control characters escaped, one line each", async () => {
  await using b = await startTestEnv();
  const names = ["evil\u001b[2J.txt", "a\nroot.txt", "invoice\u202excod.exe"];
  const value = names.map((name, index) => ({ id: `x${index}`, name, file: {} }));
  b.sandbox.addFault({ path: "/children", patch: { value }, times: "always" });
  const shown = ["evil\\u001b[2J.txt", "a\\nroot.txt", "invoice\\u202excod.exe"];
  assertEquals((await b.run("ls", "General")).stdout, shown.map((line) => `${line}\n`).join(""));
  const json = jsonLines<{ name: string }>((await b.run("ls", "--json", "General")).stdout);
  assertEquals(json.map(({ name }) => name), names);
  const { code, stderr } = await b.run("put", "a\nput: all is well", "General/");
  assertEquals([code, stderr.trimEnd().split("\n").length], [3, 1], stderr);
  assertStringIncludes(stderr, "no such local file: a\\nput: all is well");
});

Deno.test("throttling and passing faults are waited out, to the second that the service asks for", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({ path: "/children", status: 429, headers: { "retry-after": "2" } });
  const started = performance.now();
  const { code, stderr } = await b.run("ls", "General");
  assertEquals(code, 0);
  assert(performance.now() - started >= 2000, "did not wait");
  assertMatch(stderr, /^ls: waiting 0:02: HTTP 429 from 127\.0\.0\.1:\d+\n$/);
  b.sandbox.addFault({ path: "/children", drop: true });
  b.sandbox.addFault({
    path: "/children",
    nth: 3,
    status: 503,
    body: "<html>Server Too Busy</html>",
    headers: { "retry-after": "0" },
  });
  assertEquals((await b.run("ls", "General")).code, 0);
});

Deno.test("a wait longer than the whole budget is not begun: exit code 8", async () => {
  await using b = await startTestEnv();
  b.sandbox.addFault({ path: "/children", times: "always", status: 429, headers: { "retry-after": "3600" } });
  const started = performance.now();
  const { code, stderr } = await b.run("ls", "General");
  assertEquals(code, 8);
  assert(performance.now() - started < 5000, "waited");
  assertStringIncludes(stderr, "throttling");
});

Deno.test("a site is found by its path on the host, and one that is not found says where to look", async () => {
  await using b = await startTestEnv();
  for (const site of ["site:/sites/TestTeam/General", "site:TestTeam/General"]) {
    assertMatch((await b.run("ls", site)).stdout, /^Agenda\.md$/m, site);
  }
  const { code, stderr } = await b.run("ls", "site:/sites/Nope/General");
  assertEquals(code, 3);
  assertMatch(stderr, /site contoso\.sharepoint\.com\/sites\/Nope: .*ls\.ts --sites Nope/);
});
