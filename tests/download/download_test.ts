import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const SIZE = 3 * 1024 * 1024 + 17;
const content = pseudoRandomBytes(SIZE);

async function withFile(name = "big.bin", bytes: Uint8Array = content) {
  const env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", `General/${name}`, bytes);
  return env;
}

async function journal(env: TestEnv): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${env.sandbox.env.GRAPH_SCRIPTS_HOME}/downloads`)) {
    names.push(name);
  }
  return names;
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

Deno.test("get names a missing local folder and suggests how to create it", async () => {
  await using env = await withFile();
  for (const [dest, folder] of [["no where/x.bin", "no where"], ["nowhere/", "nowhere"]] as const) {
    const { code, stderr } = await env.run("get", "General/big.bin", dest);
    assertEquals(code, 3);
    assertMatch(
      stderr,
      new RegExp(`no such local folder: ${folder}; create it first: mkdir -p '?${folder}'?; `),
    );
  }
  assertEquals(names(env.folder), []);
});

Deno.test("get downloads into the current folder, another folder, or under another name", async () => {
  await using env = await withFile();
  await Deno.mkdir(join(env.folder, "sub"));
  for (
    const [args, path] of [[[], "big.bin"], [["sub"], "sub/big.bin"], [["sub/"], undefined], [
      ["other.bin"],
      "other.bin",
    ]] as const
  ) {
    const { code, stdout, stderr } = await env.run("get", "General/big.bin", ...args);
    if (path === undefined) {
      assertEquals(code, 6, "the file already exists");
      continue;
    }
    assertEquals(code, 0, stderr);
    assertEquals(stdout, `downloaded General/big.bin to ${path} (3.0 MiB, verified)\n`);
    assertEquals(await Deno.readFile(join(env.folder, path)), content);
  }
  assertEquals(names(env.folder), ["big.bin", "other.bin", "sub"]);
});

Deno.test("get --json prints the documented fields", async () => {
  await using env = await withFile();
  const [result] = jsonLines((await env.run("get", "--json", "General/big.bin")).stdout);
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
      "verdict",
      "webUrl",
    ],
  );
  assertEquals([result!.result, result!.verdict, result!.bytes, result!.sentBytes], [
    "downloaded",
    "verified",
    SIZE,
    SIZE,
  ]);
});

Deno.test("get sets the remote modification time and the mode of the umask", async () => {
  await using env = await withFile();
  const [item] = jsonLines((await env.run("ls", "--json", "General/Report.docx")).stdout);
  await env.run("get", "General/Report.docx");
  const { mtime, mode } = await Deno.stat(join(env.folder, "Report.docx"));
  assertEquals(mtime?.toISOString(), new Date(item!.modified as string).toISOString());
  if (Deno.build.os !== "windows") assertEquals((mode ?? 0) & 0o777, 0o666 & ~Deno.umask());
});

Deno.test("get keeps a partial file private and under another name", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 2_000_000 });
  env.sandbox.addFault({ service: "graph", path: "/items/", delayMs: 1500 });
  const child = env.spawn("get", "General/big.bin");
  let partial: string | undefined;
  while (partial === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    partial = names(env.folder).find((name) => name.endsWith(".partial"));
  }
  assertMatch(partial, /^\.[0-9a-f]{16}\.partial$/);
  if (Deno.build.os !== "windows") {
    assertEquals(((await Deno.stat(join(env.folder, partial))).mode ?? 0) & 0o777, 0o600);
  }
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
  assertEquals(names(env.folder), ["big.bin"]);
});

Deno.test("get does not replace a local file by default", async () => {
  await using env = await withFile();
  await env.file("big.bin", "mine");
  const { code, stderr } = await env.run("get", "General/big.bin");
  assertEquals(code, 6);
  assertMatch(stderr, /big\.bin already exists; use --conflict replace/);
  assertMatch((await env.run("get", "--conflict", "skip", "General/big.bin")).stdout, /^skipped/);
  assertEquals(await Deno.readTextFile(join(env.folder, "big.bin")), "mine");
  assertEquals((await env.run("get", "--conflict", "replace", "General/big.bin")).code, 0);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
});

Deno.test("get does not replace a local file that appears during the download", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", delayMs: 1000 });
  const child = env.spawn("get", "General/big.bin");
  while (!names(env.folder).some((name) => name.endsWith(".partial"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await env.file("big.bin", "mine");
  const { code } = await child.output();
  assertEquals(code, 6);
  assertEquals(await Deno.readTextFile(join(env.folder, "big.bin")), "mine");
});

Deno.test("get sends no token to storage and uses download URLs byte for byte", async () => {
  await using env = await withFile("it's #1 & 50%.bin");
  const { code, stderr } = await env.run("get", "General/it's #1 & 50%.bin");
  assertEquals(code, 0, stderr);
  const requests = env.sandbox.requests.filter(({ service }) => service === "storage");
  assertEquals(requests.length, 1);
  assert(requests.every(({ headers }) => headers.authorization === undefined), "a token went to storage");
});

Deno.test("get requests an empty file without a range", async () => {
  await using env = await withFile("empty.txt", new Uint8Array());
  const { code, stdout } = await env.run("get", "General/empty.txt");
  assertEquals([code, stdout], [0, "downloaded General/empty.txt to empty.txt (0 B, verified)\n"]);
  assertEquals((await Deno.stat(join(env.folder, "empty.txt"))).size, 0);
});

Deno.test("get resumes a broken connection with a fresh download URL", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  env.sandbox.addFault({ service: "storage", path: "download.aspx", nth: 2, truncateBodyTo: 500_000 });
  const { code, stdout, stderr } = await env.run("get", "--json", "General/big.bin");
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
  const ranges = env.sandbox.requests.filter(({ service }) => service === "storage").map(({ headers }) =>
    headers.range
  );
  assertEquals(ranges.length, 3);
  assertMatch(ranges[1]!, /^bytes=\d+-$/);
  assertEquals(jsonLines(stdout)[0]!.sentBytes, SIZE);
});

Deno.test("get accepts the whole content in response to a range", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  env.sandbox.addFault({ service: "storage", path: "download.aspx", nth: 2, hideHeaders: ["range"] });
  assertEquals((await env.run("get", "General/big.bin")).code, 0);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
});

Deno.test("get starts over when the file changes during the download", async () => {
  await using env = await withFile();
  const other = pseudoRandomBytes(SIZE + 1000, 7);
  env.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 1_000_000 });
  const child = env.spawn("get", "General/big.bin");
  while (!env.sandbox.requests.some(({ service }) => service === "storage")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  env.sandbox.tenant.addFile("Documents", "General/big.bin", other);
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), other);
});

Deno.test("get refreshes a refused download URL and reports a permanent refusal", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", status: 401, body: "" });
  assertEquals((await env.run("get", "General/big.bin")).code, 0);
  env.sandbox.addFault({
    service: "storage",
    path: "download.aspx",
    times: "always",
    status: 403,
    body: "<html>no</html>",
  });
  const { code, stderr } = await env.run("get", "General/big.bin", "again.bin");
  assertEquals(code, 5);
  assertStringIncludes(stderr, "HTTP 403");
  assertEquals(names(env.folder), ["big.bin"], "the error page became a file");
});

Deno.test("get follows the redirect of /content for an item without a download URL", async () => {
  await using env = await withFile();
  env.sandbox.addFault({
    service: "graph",
    path: "root:/General/big.bin",
    patch: { "@microsoft.graph.downloadUrl": null },
  });
  assertEquals((await env.run("get", "General/big.bin")).code, 0);
  const content302 = env.sandbox.requests.find(({ path }) => path.endsWith("/content"));
  assertEquals(content302?.status, 302);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
});

Deno.test("get refuses a download URL to a foreign host and sends nothing there", async () => {
  await using env = await withFile();
  for (
    const link of [
      "https://evil.example/x",
      `${env.sandbox.loginOrigin}/x`,
      "http://contoso.sharepoint.com/x",
      "file:///etc/passwd",
    ]
  ) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({
      service: "graph",
      path: "root:/General/big.bin",
      patch: { "@microsoft.graph.downloadUrl": link },
    });
    const { code, stderr } = await env.run("get", "General/big.bin");
    assertEquals(code, 5);
    assertStringIncludes(stderr, "nothing was sent there");
  }
  assertEquals(env.sandbox.requests.filter(({ path }) => path === "/x"), []);
});

Deno.test("get keeps both copies of damaged content (exit code 7)", async () => {
  await using env = await withFile();
  env.sandbox.addFault({
    service: "graph",
    times: "always",
    patch: { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } },
  });
  const { code, stderr } = await env.run("get", "General/big.bin");
  assertEquals(code, 7);
  assertMatch(stderr, /is not what the service states.*once more/);
  assertMatch(stderr, /is not what the service states.*kept as \S*\.[0-9a-f]{8}\.damaged/);
  const [kept, ...others] = names(env.folder);
  assertMatch(kept!, /^\.[0-9a-f]{8}\.damaged$/);
  assertEquals([others, await journal(env)], [[], []]);
  assertEquals(await Deno.readFile(join(env.folder, kept!)), content);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
  assertEquals((await env.run("get", "General/big.bin", "-")).code, 7);
});

Deno.test("get downloads damaged content once more", async () => {
  await using env = await withFile();
  const spoilt = new TextDecoder("latin1").decode(new Uint8Array(SIZE));
  env.sandbox.addFault({ service: "storage", path: "download.aspx", status: 200, body: spoilt });
  const { code, stdout, stderr } = await env.run("get", "--json", "General/big.bin");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.sentBytes], ["verified", 2 * SIZE]);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), content);
  assertEquals([names(env.folder), await journal(env)], [["big.bin"], []]);
});

Deno.test("get reports a file without a hash as unverified, and refreshes outdated item properties", async () => {
  await using env = await withFile();
  env.sandbox.addFault({ service: "graph", times: "always", patch: { file: { hashes: null } } });
  assertEquals(
    jsonLines((await env.run("get", "--json", "General/big.bin")).stdout)[0]!.verdict,
    "unverified",
  );
  env.sandbox.clearFaults();
  for (const name of ["Report.docx", "big.bin"]) {
    for (const destination of ["copy", "-"]) {
      env.sandbox.addFault({ service: "graph", path: `root:/General/${name}`, patch: { size: 5 } });
      const { code, stdout, stderr } = await env.runWith(
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

Deno.test("get writes the file to standard output and nothing else", async () => {
  await using env = await startTestEnv();
  const { stdout, stderr, code } = await env.run("get", "General/Agenda.md", "-");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout,
    new TextDecoder().decode(await env.sandbox.tenant.bytes("Documents", "General/Agenda.md")),
  );
});

Deno.test("get tries all of several files", async () => {
  await using env = await withFile();
  await Deno.mkdir(join(env.folder, "in"));
  const { code, stderr } = await env.run("get", "General/Agenda.md", "General/Nope", "General/big.bin", "in");
  assertEquals(code, 3);
  assertEquals(stderr.trim().split("\n").length, 2);
  assertMatch(stderr, /\nget: 2 downloaded \(.*\), 1 failed, in /);
  assertEquals(names(join(env.folder, "in")), ["Agenda.md", "big.bin"]);
  assertEquals((await env.run("get", "General/Agenda.md", "General/big.bin", "nowhere")).code, 2);
});

Deno.test("get reports unusable destinations and leaves nothing behind", async () => {
  await using env = await withFile();
  assertEquals((await env.run("get", "General/big.bin", "no/such/folder/x.bin")).code, 3);
  assertEquals((await env.run("get", "General/big.bin", "nowhere/")).code, 3);
  if (Deno.build.os === "linux" && Deno.uid() !== 0) {
    await Deno.mkdir(join(env.folder, "locked"), { mode: 0o500 });
    assertEquals((await env.run("get", "General/big.bin", "locked")).code, 5);
  }
  assertEquals(names(env.folder).filter((name) => name !== "locked"), []);
});

Deno.test("get rejects a remote name that leads out of the folder", async () => {
  await using env = await withFile();
  const [item] = jsonLines((await env.run("ls", "--json", "General/big.bin")).stdout);
  env.sandbox.addFault({
    service: "graph",
    path: `/items/${item!.id}`,
    times: "always",
    patch: { name: "../../evil.bin" },
  });
  const { code, stderr } = await env.run("get", `id:${item!.id}`);
  assertEquals(code, 2);
  assertMatch(stderr, /cannot be a local name/);
});

Deno.test("get leaves no incomplete file on Ctrl-C (exit code 130)", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await withFile();
  env.sandbox.addFault({ service: "storage", path: "download.aspx", delayMs: 10_000 });
  const child = env.spawn("get", "General/big.bin");
  while (!names(env.folder).some((name) => name.endsWith(".partial"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals(code, 130);
  assertMatch(new TextDecoder().decode(stderr), /^get: interrupted; run the same command again/);
  assertEquals(names(env.folder), []);
});
