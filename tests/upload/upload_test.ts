import { assert, assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("put creates, then replaces, in one request each", async () => {
  await using b = await startTestEnv();
  const file = await b.file("notes.txt", "one\n");
  assertEquals(
    (await b.run("put", file, "General/notes.txt")).stdout,
    "created General/notes.txt (4 B, verified)\n",
  );
  await b.file("notes.txt", "two\n");
  assertEquals(
    (await b.run("put", file, "General/notes.txt")).stdout,
    "replaced General/notes.txt (4 B, verified)\n",
  );
  assertEquals(
    await b.sandbox.tenant.bytes("Documents", "General/notes.txt"),
    new TextEncoder().encode("two\n"),
  );
  const puts = b.sandbox.requests.filter(({ method }) => method === "PUT");
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

Deno.test("a folder as location keeps the local name, with and without a slash", async () => {
  await using b = await startTestEnv();
  const file = await b.file("notes.txt", "x");
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
    const { code, stderr } = await b.run("put", file, location);
    assertEquals(code, 0, `${location}: ${stderr}`);
  }
  for (
    const [drive, path] of [["Documents", "General/notes.txt"], ["Archive", "notes.txt"], [
      "me",
      "Documents/notes.txt",
    ], ["Documents", "notes.txt"]] as const
  ) {
    assert(b.sandbox.tenant.find(drive, path), `${drive}: ${path}`);
  }
});

Deno.test("an item by id is replaced, a folder by id is filled", async () => {
  await using b = await startTestEnv();
  const file = await b.file("new.txt", "new");
  const [folder] = jsonLines((await b.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    name === "Minutes"
  );
  const [item] = jsonLines((await b.run("ls", "--json", "General/Agenda.md")).stdout);
  assertMatch((await b.run("put", file, `id:${item!.id}`)).stdout, /^replaced General\/Agenda\.md/);
  assertMatch((await b.run("put", file, `id:${folder!.id}`)).stdout, /^created General\/Minutes\/new\.txt/);
  assertEquals(
    await b.sandbox.tenant.bytes("Documents", "General/Agenda.md"),
    new TextEncoder().encode("new"),
  );
});

Deno.test("--conflict fail refuses with 6, --conflict rename prints the new name", async () => {
  await using b = await startTestEnv();
  const small = await b.file("small.txt", "x");
  const large = await b.file("large.bin", pseudoRandomBytes(5 * 1024 * 1024));
  for (const file of [small, large]) {
    const name = file.split("/").at(-1)!;
    assertEquals((await b.run("put", "--conflict", "fail", file, "General/")).code, 0);
    const { code, stderr } = await b.run("put", "--conflict", "fail", file, "General/");
    assertEquals(code, 6);
    assertMatch(
      stderr,
      /already exists; choose with --conflict replace or --conflict rename \(HTTP 409 nameAlreadyExists/,
    );
    const [renamed] = jsonLines(
      (await b.run("put", "--json", "--conflict", "rename", file, "General/")).stdout,
    );
    assertEquals(renamed!.result, "renamed");
    assert(renamed!.path !== `General/${name}`, "the old name was printed");
    assert(b.sandbox.tenant.find("Documents", renamed!.path as string), "not under the printed name");
  }
});

Deno.test("every upload says what to do about a taken name", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.bin", pseudoRandomBytes(5_000_000));
  await b.run("put", file, "General/");
  await b.run("put-large", file, "General/b.bin");
  const small = await b.file("c.bin", "c");
  await b.run("put", small, "General/");
  await b.run("put-large", await b.file("empty", ""), "General/");
  const contents = b.sandbox.requests.filter(({ path }) =>
    path.includes("/content") || path.includes("createUploadSession")
  );
  assertEquals(contents.length, 4);
  assert(
    contents.every(({ path }) =>
      path.includes("createUploadSession") || path.includes("conflictBehavior=replace")
    ),
    "one said nothing",
  );
});

Deno.test("put chooses a session above 4 MiB, and only there", async () => {
  await using b = await startTestEnv();
  for (
    const [size, session] of [[0, false], [1, false], [4 * 1024 * 1024, false], [
      4 * 1024 * 1024 + 1,
      true,
    ]] as const
  ) {
    const before = b.sandbox.requests.length;
    const bytes = pseudoRandomBytes(size);
    const { code, stderr } = await b.run("put", await b.file(`${size}.bin`, bytes), "General/");
    assertEquals(code, 0, stderr);
    assertEquals(
      b.sandbox.requests.slice(before).some(({ path }) => path.includes("createUploadSession")),
      session,
      `${size}`,
    );
    assertEquals(await b.sandbox.tenant.bytes("Documents", `General/${size}.bin`), bytes);
  }
});

Deno.test("several files need a folder; each has its line, the first failure decides", async () => {
  await using b = await startTestEnv();
  const [one, two] = [await b.file("1.txt", "1"), await b.file("2.txt", "2")];
  assertEquals((await b.run("put", one, two, "General")).code, 2);
  const { code, stdout, stderr } = await b.run("put", one, "nope.txt", two, "General/");
  assertEquals(code, 3);
  assertEquals(stdout.split("\n").toSorted(), [
    "",
    "created General/1.txt (1 B, verified)",
    "created General/2.txt (1 B, verified)",
  ]);
  assertMatch(stderr, /^put: no such local file: nope\.txt/);
});

Deno.test("a busy service is waited for, and nothing is sent twice under a new name", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.txt", "a");
  b.sandbox.addFault({ method: "PUT", path: "/content", status: 503, headers: { "retry-after": "1" } });
  assertEquals((await b.run("put", file, "General/")).code, 0);
  b.sandbox.addFault({ method: "PUT", path: "conflictBehavior=rename", when: "after", drop: true });
  assertEquals((await b.run("put", "--conflict", "rename", file, "General/")).code, 8);
  const copies = jsonLines((await b.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    /^a.*\.txt$/.test(name as string)
  );
  assertEquals(copies.length, 2);
});

Deno.test("errors of the service end in the right exit code and a next step", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.txt", "a");
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
    b.sandbox.clearFaults();
    b.sandbox.addFault({ method: "PUT", path: "/content", times: "always", status, body });
    const ended = await b.run("put", file, "General/");
    assertEquals(ended.code, code, `${status}: ${ended.stderr}`);
    assertMatch(ended.stderr, line);
  }
  b.sandbox.clearFaults();
  b.sandbox.addFault({
    method: "PUT",
    path: "/content",
    status: 409,
    body: { error: { code: "resourceModified", message: "x" } },
  });
  assertEquals((await b.run("put", file, "General/")).code, 0, "a quick overwrite is tried once more");
});

Deno.test("what the service stored differently: damaged, enriched or unverified", async () => {
  await using b = await startTestEnv();
  const wrong = { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } };
  const put = { method: "PUT", path: "/content" };
  b.sandbox.addFault({ ...put, times: 2, patch: wrong });
  const { code, stderr } = await b.run("put", await b.file("a.bin", "abc"), "General/");
  assertEquals(code, 7);
  assertMatch(
    stderr,
    /is not what was sent.*sending it once more\n.*is not what was sent.*both copies are kept/,
  );
  b.sandbox.addFault({ ...put, patch: wrong });
  assertEquals((await b.run("put", "a.bin", "General/")).code, 0, "one clean retry mends it");
  b.sandbox.addFault({ ...put, patch: wrong });
  assertEquals((await b.run("put", "--conflict", "rename", "a.bin", "General/")).code, 7);
  // The answer is wrong, and what is stored is not: the file itself tells.
  b.sandbox.addFault({ method: "PUT", path: "/uploadSession", patch: { ...wrong, size: 4000 } });
  const [docx] = jsonLines((await b.run("put", "--json", await b.file("a.docx", "abc"), "General/")).stdout);
  assertEquals([docx!.verdict, docx!.sentBytes], ["verified", 3]);
  b.sandbox.addFault({ ...put, patch: { file: { hashes: null } } });
  const [plain] = jsonLines((await b.run("put", "--json", await b.file("b.bin", "abc"), "General/")).stdout);
  assertEquals([plain!.verdict, plain!.quickXorHash], ["unverified", null]);
});
