import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const SIZE = 3 * 1024 * 1024 + 17;
const content = pseudoRandomBytes(SIZE);

async function withFile(name = "big.bin", bytes: Uint8Array = content) {
  const b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", `General/${name}`, bytes);
  return b;
}

async function journal(b: TestEnv): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${b.sandbox.env.GRAPH_SCRIPTS_HOME}/downloads`)) {
    names.push(name);
  }
  return names;
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

Deno.test("get says which local folder is missing, and how to make it", async () => {
  await using b = await withFile();
  for (const [dest, folder] of [["no where/x.bin", "no where"], ["nowhere/", "nowhere"]] as const) {
    const { code, stderr } = await b.run("get", "General/big.bin", dest);
    assertEquals(code, 3);
    assertMatch(
      stderr,
      new RegExp(`no such local folder: ${folder}; make it first: mkdir -p '?${folder}'?; `),
    );
  }
  assertEquals(names(b.folder), []);
});

Deno.test("get brings a file into the current folder, another folder, or under another name", async () => {
  await using b = await withFile();
  await Deno.mkdir(join(b.folder, "sub"));
  for (
    const [args, path] of [[[], "big.bin"], [["sub"], "sub/big.bin"], [["sub/"], undefined], [
      ["other.bin"],
      "other.bin",
    ]] as const
  ) {
    const { code, stdout, stderr } = await b.run("get", "General/big.bin", ...args);
    if (path === undefined) {
      assertEquals(code, 6, "it is there already");
      continue;
    }
    assertEquals(code, 0, stderr);
    assertEquals(stdout, `downloaded General/big.bin to ${path} (3.0 MiB, verified)\n`);
    assertEquals(await Deno.readFile(join(b.folder, path)), content);
  }
  assertEquals(names(b.folder), ["big.bin", "other.bin", "sub"]);
});

Deno.test("the result of get has the fields of the contract", async () => {
  await using b = await withFile();
  const [result] = jsonLines((await b.run("get", "--json", "General/big.bin")).stdout);
  assertEquals(
    Object.keys(result!).toSorted(),
    [
      "bytes",
      "driveId",
      "eTag",
      "id",
      "local",
      "path",
      "quickXorHash",
      "result",
      "resumedFrom",
      "seconds",
      "sentBytes",
      "sha256",
      "verdict",
    ],
  );
  assertEquals([result!.result, result!.verdict, result!.bytes, result!.sentBytes], [
    "downloaded",
    "verified",
    SIZE,
    SIZE,
  ]);
});

Deno.test("the downloaded file has the remote time of change, and the mode that the umask gives", async () => {
  await using b = await withFile();
  const [item] = jsonLines((await b.run("ls", "--json", "General/Report.docx")).stdout);
  await b.run("get", "General/Report.docx");
  const { mtime, mode } = await Deno.stat(join(b.folder, "Report.docx"));
  assertEquals(mtime?.toISOString(), new Date(item!.modified as string).toISOString());
  if (Deno.build.os !== "windows") assertEquals((mode ?? 0) & 0o777, 0o666 & ~Deno.umask());
});

Deno.test("while it is incomplete the file is private and under another name", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 2_000_000 });
  b.sandbox.addFault({ service: "graph", path: "/items/", delayMs: 1500 });
  const child = b.spawn("get", "General/big.bin");
  let partial: string | undefined;
  while (partial === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    partial = names(b.folder).find((name) => name.endsWith(".partial"));
  }
  assertMatch(partial, /^\.[0-9a-f]{16}\.partial$/);
  if (Deno.build.os !== "windows") {
    assertEquals(((await Deno.stat(join(b.folder, partial))).mode ?? 0) & 0o777, 0o600);
  }
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
  assertEquals(names(b.folder), ["big.bin"]);
});

Deno.test("a local file is never replaced unasked", async () => {
  await using b = await withFile();
  await b.file("big.bin", "mine");
  const { code, stderr } = await b.run("get", "General/big.bin");
  assertEquals(code, 6);
  assertMatch(stderr, /big\.bin exists already; choose with --conflict replace/);
  assertMatch((await b.run("get", "--conflict", "skip", "General/big.bin")).stdout, /^skipped/);
  assertEquals(await Deno.readTextFile(join(b.folder, "big.bin")), "mine");
  assertEquals((await b.run("get", "--conflict", "replace", "General/big.bin")).code, 0);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
});

Deno.test("a local file that appears during the download is not replaced either", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", delayMs: 1000 });
  const child = b.spawn("get", "General/big.bin");
  while (!names(b.folder).some((name) => name.endsWith(".partial"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await b.file("big.bin", "mine");
  const { code } = await child.output();
  assertEquals(code, 6);
  assertEquals(await Deno.readTextFile(join(b.folder, "big.bin")), "mine");
});

Deno.test("no token goes to storage, and links are used byte for byte", async () => {
  await using b = await withFile("it's #1 & 50%.bin");
  const { code, stderr } = await b.run("get", "General/it's #1 & 50%.bin");
  assertEquals(code, 0, stderr);
  const requests = b.sandbox.requests.filter(({ service }) => service === "storage");
  assertEquals(requests.length, 1);
  assert(requests.every(({ headers }) => headers.authorization === undefined), "a token went to storage");
});

Deno.test("an empty file is fetched without a range", async () => {
  await using b = await withFile("empty.txt", new Uint8Array());
  const { code, stdout } = await b.run("get", "General/empty.txt");
  assertEquals([code, stdout], [0, "downloaded General/empty.txt to empty.txt (0 B, verified)\n"]);
  assertEquals((await Deno.stat(join(b.folder, "empty.txt"))).size, 0);
});

Deno.test("a broken connection is taken up where it broke, with a fresh link", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  b.sandbox.addFault({ service: "storage", path: "download.aspx", nth: 2, truncateBodyTo: 500_000 });
  const { code, stdout, stderr } = await b.run("get", "--json", "General/big.bin");
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
  const ranges = b.sandbox.requests.filter(({ service }) => service === "storage").map(({ headers }) =>
    headers.range
  );
  assertEquals(ranges.length, 3);
  assertMatch(ranges[1]!, /^bytes=\d+-$/);
  assertEquals(jsonLines(stdout)[0]!.sentBytes, SIZE);
});

Deno.test("a service that ignores the range and sends everything does no harm", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  b.sandbox.addFault({ service: "storage", path: "download.aspx", nth: 2, hideHeaders: ["range"] });
  assertEquals((await b.run("get", "General/big.bin")).code, 0);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
});

Deno.test("a file that changes during the download is received from its first byte", async () => {
  await using b = await withFile();
  const other = pseudoRandomBytes(SIZE + 1000, 7);
  b.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  const child = b.spawn("get", "General/big.bin");
  while (!b.sandbox.requests.some(({ service }) => service === "storage")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  b.sandbox.tenant.addFile("Documents", "General/big.bin", other);
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), other);
});

Deno.test("a link that is refused is asked for again; a refusal that stays is told", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", status: 401, body: "" });
  assertEquals((await b.run("get", "General/big.bin")).code, 0);
  b.sandbox.addFault({
    service: "storage",
    path: "download.aspx",
    times: "always",
    status: 403,
    body: "<html>no</html>",
  });
  const { code, stderr } = await b.run("get", "General/big.bin", "again.bin");
  assertEquals(code, 5);
  assertStringIncludes(stderr, "HTTP 403");
  assertEquals(names(b.folder), ["big.bin"], "the error page became a file");
});

Deno.test("an item without a link is fetched through the redirect of its content", async () => {
  await using b = await withFile();
  b.sandbox.addFault({
    service: "graph",
    path: "root:/General/big.bin",
    patch: { "@microsoft.graph.downloadUrl": null },
  });
  assertEquals((await b.run("get", "General/big.bin")).code, 0);
  const content302 = b.sandbox.requests.find(({ path }) => path.endsWith("/content"));
  assertEquals(content302?.status, 302);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
});

Deno.test("a link to a host that is not storage is refused, and nothing is sent there", async () => {
  await using b = await withFile();
  for (
    const link of [
      "https://evil.example/x",
      `${b.sandbox.loginOrigin}/x`,
      "http://contoso.sharepoint.com/x",
      "file:///etc/passwd",
    ]
  ) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({
      service: "graph",
      path: "root:/General/big.bin",
      patch: { "@microsoft.graph.downloadUrl": link },
    });
    const { code, stderr } = await b.run("get", "General/big.bin");
    assertEquals(code, 5);
    assertStringIncludes(stderr, "nothing was sent there");
  }
  assertEquals(b.sandbox.requests.filter(({ path }) => path === "/x"), []);
});

Deno.test("content that is not what the service states: exit code 7, both copies kept", async () => {
  await using b = await withFile();
  b.sandbox.addFault({
    service: "graph",
    times: "always",
    patch: { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } },
  });
  const { code, stderr } = await b.run("get", "General/big.bin");
  assertEquals(code, 7);
  assertMatch(stderr, /is not what the service states.*once more/);
  assertMatch(stderr, /is not what the service states.*kept as \S*\.[0-9a-f]{8}\.damaged/);
  const [kept, ...others] = names(b.folder);
  assertMatch(kept!, /^\.[0-9a-f]{8}\.damaged$/);
  assertEquals([others, await journal(b)], [[], []]);
  assertEquals(await Deno.readFile(join(b.folder, kept!)), content);
  assertEquals(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
  assertEquals((await b.runProcess("get", "General/big.bin", "-")).code, 7);
});

Deno.test("content that was spoilt on its way is received once more, cleanly", async () => {
  await using b = await withFile();
  const spoilt = new TextDecoder("latin1").decode(new Uint8Array(SIZE));
  b.sandbox.addFault({ service: "storage", path: "download.aspx", status: 200, body: spoilt });
  const { code, stdout, stderr } = await b.run("get", "--json", "General/big.bin");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.sentBytes], ["verified", 2 * SIZE]);
  assertEquals(await Deno.readFile(join(b.folder, "big.bin")), content);
  assertEquals([names(b.folder), await journal(b)], [["big.bin"], []]);
});

Deno.test("a file without a hash is unverified; facts that were wrong for a moment do not matter", async () => {
  await using b = await withFile();
  b.sandbox.addFault({ service: "graph", path: "root:/General/big.bin", patch: { file: { hashes: null } } });
  assertEquals(jsonLines((await b.run("get", "--json", "General/big.bin")).stdout)[0]!.verdict, "unverified");
  for (const name of ["Report.docx", "big.bin"]) {
    for (const destination of ["copy", "-"]) {
      b.sandbox.addFault({ service: "graph", path: `root:/General/${name}`, patch: { size: 5 } });
      const { code, stdout, stderr } = await b.runWith(
        {},
        "get",
        "--json",
        "--conflict",
        "replace",
        `General/${name}`,
        destination,
      );
      assertEquals(code, 0, stderr);
      const lines = destination === "-" ? stderr : stdout;
      assertEquals(jsonLines(lines)[0]!.verdict, "verified", `${name} to ${destination}`);
    }
  }
});

Deno.test("a file goes to standard output, and nothing else does", async () => {
  await using b = await startTestEnv();
  const { stdout, stderr, code } = await b.runProcess("get", "General/Agenda.md", "-");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout,
    new TextDecoder().decode(await b.sandbox.tenant.bytes("Documents", "General/Agenda.md")),
  );
});

Deno.test("several files go into a folder; all are tried", async () => {
  await using b = await withFile();
  await Deno.mkdir(join(b.folder, "in"));
  const { code, stderr } = await b.run("get", "General/Agenda.md", "General/Nope", "General/big.bin", "in");
  assertEquals(code, 3);
  assertEquals(stderr.trim().split("\n").length, 2);
  assertMatch(stderr, /\nget: 2 downloaded \(.*\), 1 failed, in /);
  assertEquals(names(join(b.folder, "in")), ["Agenda.md", "big.bin"]);
  assertEquals((await b.run("get", "General/Agenda.md", "General/big.bin", "nowhere")).code, 2);
});

Deno.test("places where nothing can be written are told, and nothing is left behind", async () => {
  await using b = await withFile();
  assertEquals((await b.run("get", "General/big.bin", "no/such/folder/x.bin")).code, 3);
  assertEquals((await b.run("get", "General/big.bin", "nowhere/")).code, 3);
  if (Deno.build.os === "linux" && Deno.uid() !== 0) {
    await Deno.mkdir(join(b.folder, "locked"), { mode: 0o500 });
    assertEquals((await b.run("get", "General/big.bin", "locked")).code, 5);
  }
  assertEquals(names(b.folder).filter((name) => name !== "locked"), []);
});

Deno.test("a name from the service cannot lead out of the folder", async () => {
  await using b = await withFile();
  const [item] = jsonLines((await b.run("ls", "--json", "General/big.bin")).stdout);
  b.sandbox.addFault({
    service: "graph",
    path: `/items/${item!.id}`,
    times: "always",
    patch: { name: "../../evil.bin" },
  });
  const { code, stderr } = await b.run("get", `id:${item!.id}`);
  assertEquals(code, 2);
  assertMatch(stderr, /cannot be a local file/);
});

Deno.test("Ctrl-C ends a download with 130 and leaves nothing half-done", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await withFile();
  b.sandbox.addFault({ service: "storage", path: "download.aspx", delayMs: 10_000 });
  const child = b.spawn("get", "General/big.bin");
  while (!names(b.folder).some((name) => name.endsWith(".partial"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals(code, 130);
  assertMatch(new TextDecoder().decode(stderr), /^get: interrupted; run the same command again/);
  assertEquals(names(b.folder), []);
});
