import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { jsonLines, startTestEnv } from "../test_env.ts";

Deno.test("ls prints names, with a slash after folders, and whole paths for several locations", async () => {
  await using env = await startTestEnv();
  assertMatch((await env.run("ls", "General")).stdout, /^Agenda\.md\n[\s\S]*^Minutes\/\n/m);
  assertMatch((await env.run("ls", "General", "Thousand")).stdout, /^General\/Agenda\.md\n/);
  assertMatch(
    (await env.run("ls", "-l", "General/Agenda.md")).stdout,
    /^file +30 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}Megan Bowen {11}Agenda\.md\n$/,
  );
});

Deno.test("ls --json has the fields of the contract, in their order", async () => {
  await using env = await startTestEnv();
  const items = jsonLines((await env.run("ls", "--json", "General")).stdout);
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

Deno.test("ls lists a folder of 1,000 items in pages, without download URLs", async () => {
  await using env = await startTestEnv();
  const { stdout } = await env.run("ls", "Thousand");
  assertEquals(new Set(stdout.trim().split("\n")).size, 1000);
  const pages = env.sandbox.requests.filter(({ path }) => path.includes("/children"));
  assertEquals(pages.length, 1 + 5); // the first page again, by id
  assert(
    pages.every(({ path }) => path.includes("$top") || path.includes("$skiptoken")),
    "a page was requested in another way",
  );
});

Deno.test("ls prints each page as it arrives", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ path: "$skiptoken", nth: 2, delayMs: 3000 });
  const child = env.spawn("ls", "Thousand");
  const started = performance.now();
  const reader = child.stdout.getReader();
  await reader.read();
  assert(performance.now() - started < 2500, "nothing was printed before the slow page");
  reader.releaseLock();
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  await child.status;
});

Deno.test("ls ends quietly when its reader stops", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ path: "$skiptoken", delayMs: 300 });
  const child = env.spawn("ls", "Thousand");
  await child.stdout.cancel();
  const [stderr, { code }] = await Promise.all([new Response(child.stderr).text(), child.status]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("ls -R lists subfolders, and does not follow shortcuts", async () => {
  await using env = await startTestEnv();
  const { stdout, code } = await env.run("ls", "-R", "General");
  assertEquals(code, 0);
  assertMatch(stdout, /^General\/Minutes\/\S/m);
  assertEquals((await env.run("ls", "-R", "me:")).code, 0);
});

Deno.test("ls accepts empty pages, drops repeated items, and rejects a loop of pages (L7)", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ path: /items.*children\?\$top/, patch: { value: [] } });
  assertEquals((await env.run("ls", "Thousand")).stdout.trim().split("\n").length, 1000);
  env.sandbox.clearFaults();
  let next = "";
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (response) => {
      const page = JSON.parse(response.body as string);
      next ||= page["@odata.nextLink"];
      return {
        ...response,
        body: JSON.stringify({ ...page, "@odata.nextLink": next }),
      };
    },
  });
  const { code, stderr } = await env.run("ls", "Thousand");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "repeats the same page");
});

Deno.test("ls sends no token to a next link on another host", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    patch: { "@odata.nextLink": `${env.sandbox.storageOrigin}/v1.0/steal` },
  });
  const { code, stderr } = await env.run("ls", "Thousand");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "link to another host");
  assert(env.sandbox.requests.every(({ path }) => !path.includes("steal")), "the other host got a request");
});

Deno.test("ls finds sites and drives by each form of location", async () => {
  await using env = await startTestEnv();
  const [item] = jsonLines((await env.run("ls", "--json", "General/Agenda.md")).stdout);
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
    const { code, stdout, stderr } = await env.run("ls", "--json", form);
    assertEquals(code, 0, `${form}: ${stderr}`);
    assertEquals(jsonLines(stdout)[0], item, form);
  }
  assertMatch((await env.run("ls", "--drives")).stdout, /^Documents {2}https:/);
  assertMatch((await env.run("ls", "--drives", "-l")).stdout, /^Documents {2}b!\S+ {2}https:/);
  assertMatch((await env.run("ls", "--sites", "Market")).stdout, /^Marketing {2}https:/);
  assertEquals((await env.runWith({ env: { GRAPH_SITE: "" } }, "ls", "--drives")).code, 0);
});

Deno.test("ls rejects an ambiguous name and lists the candidates (exit code 2)", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFolder("Documents", "Archive");
  const { code, stderr } = await env.run("ls", "site:TestTeam/Archive");
  assertEquals(code, 2);
  assertMatch(stderr, /drive:b!\S+ or drive:b!\S+/);
});

Deno.test("ls of own files requests only the permission for own files", async () => {
  await using env = await startTestEnv();
  assertEquals((await env.run("ls", "me:Documents")).code, 0);
  const grants = await scopesAsked(env.sandbox.requests.length, () => env.run("ls", "me:Documents"));
  assertEquals(grants, 0);
  await using narrow = await startTestEnv({ consented: ["User.Read", "Files.Read"] });
  assertEquals((await narrow.run("ls", "me:Documents")).code, 0);
  assertEquals((await narrow.run("ls", "General")).code, 5);

  async function scopesAsked(before: number, run: () => Promise<unknown>): Promise<number> {
    await run();
    return env.sandbox.requests.slice(before).filter(({ service }) => service === "login").length;
  }
});

Deno.test("ls and get find names with every legal special character", async () => {
  await using env = await startTestEnv();
  const names = [
    "a#1.txt",
    "50%.txt",
    "a%2Fb.txt",
    "x+y.txt",
    "it's.txt",
    "Ümläut 世界.txt",
    "a & env.txt",
    "(1) [2] {3}~!.txt",
    "a=b,c;d@e$f.txt",
  ];
  for (const name of names) env.sandbox.tenant.addFile("Documents", `Odd #1/${name}`, name);
  assertEquals((await env.run("ls", "Odd #1")).stdout.trim().split("\n").toSorted(), names.toSorted());
  for (const name of names) {
    const { stdout, stderr } = await env.runProcess("get", `Odd #1/${name}`, "-");
    assertEquals(stdout, name, stderr);
  }
});

Deno.test("ls tries all locations and ends with the code of the first failure", async () => {
  await using env = await startTestEnv();
  const { code, stdout, stderr } = await env.run("ls", "Nope", "General", "id:nope");
  assertEquals(code, 3);
  assertStringIncludes(stdout, "General/Agenda.md");
  assertEquals(stderr.trim().split("\n").length, 2);
  const json = jsonLines<{ error: Record<string, unknown> }>((await env.run("ls", "--json", "Nope")).stderr);
  assertEquals(Object.keys(json[0]!.error), ["code", "message", "hint", "status", "requestId", "date"]);
});

Deno.test("ls escapes control characters in names", async () => {
  await using env = await startTestEnv();
  const names = ["evil\u001b[2J.txt", "a\nroot.txt", "invoice\u202excod.exe"];
  const value = names.map((name, index) => ({ id: `x${index}`, name, file: {} }));
  env.sandbox.addFault({ path: "/children", patch: { value }, times: "always" });
  const shown = ["evil\\u001b[2J.txt", "a\\nroot.txt", "invoice\\u202excod.exe"];
  assertEquals((await env.run("ls", "General")).stdout, shown.map((line) => `${line}\n`).join(""));
  const json = jsonLines<{ name: string }>((await env.run("ls", "--json", "General")).stdout);
  assertEquals(json.map(({ name }) => name), names);
  const { code, stderr } = await env.run("put", "a\nput: all is well", "General/");
  assertEquals([code, stderr.trimEnd().split("\n").length], [3, 1], stderr);
  assertStringIncludes(stderr, "no such local file: a\\nput: all is well");
});

Deno.test("ls waits out throttling and transient failures, as long as the service asks", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ path: "/children", status: 429, headers: { "retry-after": "2" } });
  const started = performance.now();
  const { code, stderr } = await env.run("ls", "General");
  assertEquals(code, 0);
  assert(performance.now() - started >= 2000, "did not wait");
  assertMatch(stderr, /^ls: waiting 0:02: HTTP 429 from 127\.0\.0\.1:\d+\n$/);
  env.sandbox.addFault({ path: "/children", drop: true });
  env.sandbox.addFault({
    path: "/children",
    nth: 3,
    status: 503,
    body: "<html>Server Too Busy</html>",
    headers: { "retry-after": "0" },
  });
  assertEquals((await env.run("ls", "General")).code, 0);
});

Deno.test("ls begins no wait longer than --max-wait (exit code 8)", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    status: 429,
    headers: { "retry-after": "3600" },
  });
  const started = performance.now();
  const { code, stderr } = await env.run("ls", "General");
  assertEquals(code, 8);
  assert(performance.now() - started < 5000, "waited");
  assertStringIncludes(stderr, "throttling");
});

Deno.test("ls finds a site by its path on the host, and suggests ls --sites if there is none", async () => {
  await using env = await startTestEnv();
  for (const site of ["site:/sites/TestTeam/General", "site:TestTeam/General"]) {
    assertMatch((await env.run("ls", site)).stdout, /^Agenda\.md$/m, site);
  }
  const { code, stderr } = await env.run("ls", "site:/sites/Nope/General");
  assertEquals(code, 3);
  assertMatch(stderr, /site contoso\.sharepoint\.com\/sites\/Nope: .*ls\.ts --sites Nope/);
});
