import { assert, assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("put creates, then replaces, in one request each", async () => {
  await using env = await startTestEnv();
  const file = await env.file("notes.txt", "one\n");
  assertEquals(
    (await env.run("put", file, "General/notes.txt")).stdout,
    "created General/notes.txt (4 B, verified)\n",
  );
  await env.file("notes.txt", "two\n");
  assertEquals(
    (await env.run("put", file, "General/notes.txt")).stdout,
    "replaced General/notes.txt (4 B, verified)\n",
  );
  assertEquals(
    await env.sandbox.tenant.bytes("Documents", "General/notes.txt"),
    new TextEncoder().encode("two\n"),
  );
  const puts = env.sandbox.requests.filter(({ method }) => method === "PUT");
  assertEquals(puts.length, 2);
  for (const { path, headers, service } of puts) {
    assertEquals(service, "graph");
    assertMatch(path, /:\/content\?@microsoft\.graph\.conflictBehavior=replace$/);
    assertEquals([headers["content-type"], headers["content-length"], headers["transfer-encoding"]], [
      "application/octet-stream",
      "4",
      undefined,
    ]);
  }
});

Deno.test("put keeps the local name when the location is a folder, with or without a slash", async () => {
  await using env = await startTestEnv();
  const file = await env.file("notes.txt", "x");
  for (
    const location of [
      "General",
      "General/",
      "site:TestTeam/General",
      "site:TestTeam/Archive/",
      "me:Documents",
      "",
      "drive:Archive",
    ]
  ) {
    const { code, stderr } = await env.run("put", file, location);
    assertEquals(code, 0, `${location}: ${stderr}`);
  }
  for (
    const [drive, path] of [["Documents", "General/notes.txt"], ["Archive", "notes.txt"], [
      "me",
      "Documents/notes.txt",
    ], ["Documents", "notes.txt"]] as const
  ) {
    assert(env.sandbox.tenant.find(drive, path), `${drive}: ${path}`);
  }
});

Deno.test("put replaces a file given by its id, and uploads into a folder given by its id", async () => {
  await using env = await startTestEnv();
  const file = await env.file("new.txt", "new");
  const [folder] = jsonLines((await env.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    name === "Minutes"
  );
  const [item] = jsonLines((await env.run("ls", "--json", "General/Agenda.md")).stdout);
  assertMatch((await env.run("put", file, `id:${item!.id}`)).stdout, /^replaced General\/Agenda\.md/);
  assertMatch((await env.run("put", file, `id:${folder!.id}`)).stdout, /^created General\/Minutes\/new\.txt/);
  assertEquals(
    await env.sandbox.tenant.bytes("Documents", "General/Agenda.md"),
    new TextEncoder().encode("new"),
  );
});

Deno.test("put --conflict rename prints the new name, and --conflict fail keeps the file (exit code 6)", async () => {
  await using env = await startTestEnv();
  const small = await env.file("small.txt", "x");
  const large = await env.file("large.bin", pseudoRandomBytes(5 * 1024 * 1024));
  for (const file of [small, large]) {
    const name = file.split("/").at(-1)!;
    assertEquals((await env.run("put", "--conflict", "fail", file, "General/")).code, 0);
    const { code, stderr } = await env.run("put", "--conflict", "fail", file, "General/");
    assertEquals(code, 6);
    assertMatch(
      stderr,
      /already exists; choose with --conflict replace or --conflict rename \(HTTP 409 nameAlreadyExists/,
    );
    const [renamed] = jsonLines(
      (await env.run("put", "--json", "--conflict", "rename", file, "General/")).stdout,
    );
    assertEquals(renamed!.result, "renamed");
    assert(renamed!.path !== `General/${name}`, "the old name was printed");
    assert(env.sandbox.tenant.find("Documents", renamed!.path as string), "no file has the printed name");
  }
});

Deno.test("put and put-large send the conflict behavior with every upload", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.bin", pseudoRandomBytes(5_000_000));
  await env.run("put", file, "General/");
  await env.run("put-large", file, "General/b.bin");
  const small = await env.file("c.bin", "c");
  await env.run("put", small, "General/");
  await env.run("put-large", await env.file("empty", ""), "General/");
  const contents = env.sandbox.requests.filter(({ path }) =>
    path.includes("/content") || path.includes("createUploadSession")
  );
  assertEquals(contents.length, 4);
  assert(
    contents.every(({ path }) =>
      path.includes("createUploadSession") || path.includes("conflictBehavior=replace")
    ),
    "a request had no conflict behavior",
  );
});

Deno.test("put creates a session only above 4 MiB", async () => {
  await using env = await startTestEnv();
  for (
    const [size, session] of [[0, false], [1, false], [4 * 1024 * 1024, false], [
      4 * 1024 * 1024 + 1,
      true,
    ]] as const
  ) {
    const before = env.sandbox.requests.length;
    const bytes = pseudoRandomBytes(size);
    const { code, stderr } = await env.run("put", await env.file(`${size}.bin`, bytes), "General/");
    assertEquals(code, 0, stderr);
    assertEquals(
      env.sandbox.requests.slice(before).some(({ path }) => path.includes("createUploadSession")),
      session,
      `${size}`,
    );
    assertEquals(await env.sandbox.tenant.bytes("Documents", `General/${size}.bin`), bytes);
  }
});

Deno.test("put prints a line for each file and ends with the code of the first failure", async () => {
  await using env = await startTestEnv();
  const [one, two] = [await env.file("1.txt", "1"), await env.file("2.txt", "2")];
  assertEquals((await env.run("put", one, two, "General/Agenda.md")).code, 2);
  const { code, stdout, stderr } = await env.run("put", one, "nope.txt", two, "General/");
  assertEquals(code, 3);
  assertEquals(stdout.split("\n").toSorted(), [
    "",
    "created General/1.txt (1 B, verified)",
    "created General/2.txt (1 B, verified)",
  ]);
  assertMatch(stderr, /^put: no such local file: nope\.txt/);
});

Deno.test("put waits for a busy service, and uploads nothing twice under a new name", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  env.sandbox.addFault({ method: "PUT", path: "/content", status: 503, headers: { "retry-after": "1" } });
  assertEquals((await env.run("put", file, "General/")).code, 0);
  env.sandbox.addFault({ method: "PUT", path: "conflictBehavior=rename", when: "after", drop: true });
  assertEquals((await env.run("put", "--conflict", "rename", file, "General/")).code, 8);
  const copies = jsonLines((await env.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    /^a.*\.txt$/.test(name as string)
  );
  assertEquals(copies.length, 2);
});

Deno.test("put maps service errors to exit codes and a hint (PROTOCOL L3, 9e)", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  const cases: [number, unknown, number, RegExp][] = [
    [
      423,
      { error: { code: "notAllowed", message: "x", innerError: { code: "resourceLocked" } } },
      6,
      /open in Office or checked out/,
    ],
    [423, { error: { code: "accessDenied", message: "x" } }, 6, /locked: open in Office/],
    [
      507,
      { error: { code: "quotaLimitReached", message: "Insufficient Space Available" } },
      9,
      /the drive is full/,
    ],
    [412, { error: { code: "resourceModified", message: "x" } }, 6, /changed on the server/],
    [403, { error: { code: "accessDenied", message: "x" } }, 5, /no permission/],
    [403, { error: { code: "accessDenied", innererror: { code: "serviceReadOnly" } } }, 8, /maintenance/],
    [
      400,
      { error: { code: "invalidRequest", message: "The  name\nis bad" } },
      1,
      /rejected the request: The name is bad/,
    ],
    [411, "<html>Length Required</html>", 1, /HTTP 411 http411/],
    [200, { error: { code: "invalidRequest", message: "an error under 200" } }, 1, /an error under 200/],
    [200, "", 1, /unexpected response/],
  ];
  for (const [status, body, code, line] of cases) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ method: "PUT", path: "/content", times: "always", status, body });
    const ended = await env.run("put", file, "General/");
    assertEquals(ended.code, code, `${status}: ${ended.stderr}`);
    assertMatch(ended.stderr, line);
  }
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    method: "PUT",
    path: "/content",
    status: 409,
    body: { error: { code: "resourceModified", message: "x" } },
  });
  assertEquals((await env.run("put", file, "General/")).code, 0, "a quick overwrite is retried once");
});

Deno.test("put reports content that the service changed as damaged, enriched or unverified", async () => {
  await using env = await startTestEnv();
  const wrong = { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } };
  const put = { method: "PUT", path: "/content" };
  env.sandbox.addFault({ ...put, patch: wrong });
  const { code, stderr } = await env.run("put", await env.file("a.bin", "abc"), "General/");
  assertEquals(code, 7);
  assertMatch(stderr, /is not what was sent.*both copies are kept/);
  env.sandbox.addFault({ ...put, patch: wrong });
  assertEquals((await env.run("put", "--conflict", "rename", "a.bin", "General/")).code, 7);
  // The response is wrong, but the stored file is right.
  env.sandbox.addFault({ method: "PUT", path: "/uploadSession", patch: { ...wrong, size: 4000 } });
  const [docx] = jsonLines(
    (await env.run("put", "--json", await env.file("a.docx", "abc"), "General/")).stdout,
  );
  assertEquals([docx!.verdict, docx!.sentBytes], ["verified", 3]);
  env.sandbox.addFault({ ...put, patch: { file: { hashes: null } } });
  const [plain] = jsonLines(
    (await env.run("put", "--json", await env.file("b.bin", "abc"), "General/")).stdout,
  );
  assertEquals([plain!.verdict, plain!.quickXorHash], ["unverified", null]);
});
