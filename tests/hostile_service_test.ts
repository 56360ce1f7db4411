import { assert, assertEquals, assertMatch } from "./assert.ts";
import { join } from "../lib/std.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv } from "./test_env.ts";

const UNIT = 327_680;
const SMALL = ["--fragment-size", "320KiB"];
const fragments = { service: "storage" as const, method: "PUT" };
const download = { service: "storage" as const, path: "download.aspx" };
const time = new Date("2024-01-02T03:04:05Z");

type TestEnv = Awaited<ReturnType<typeof startTestEnv>>;

function fragmentCount(b: TestEnv): number {
  return b.sandbox.requests.filter(({ service, method }) => service === "storage" && method === "PUT").length;
}

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("an old version with the same time of change is not taken for a finished upload", async () => {
  await using b = await startTestEnv();
  const file = await b.file("r.pdf", pseudoRandomBytes(3000));
  await Deno.utime(file, time, time);
  assertEquals((await b.run("put-large", file, "General/")).code, 0);
  await b.file("r.pdf", pseudoRandomBytes(5000));
  await Deno.utime(file, time, time);
  b.sandbox.addFault({
    ...fragments,
    times: "always",
    status: 404,
    body: { error: { code: "itemNotFound" } },
  });
  const { code, stderr } = await b.run("put-large", file, "General/");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /loses its upload sessions; sending it in one request/);
  assertEquals(b.sandbox.tenant.find("Documents", "General/r.pdf")?.size, 5000);
  await b.file("r.pdf", pseudoRandomBytes(6000));
  await Deno.utime(file, time, time);
  assertEquals((await b.run("put-large", "--conflict", "fail", file, "General/r2.pdf")).code, 8);
  assertEquals(b.sandbox.tenant.find("Documents", "General/r2.pdf"), undefined);
});

Deno.test("a page or nothing in place of a file is damaged, whatever its type, and the old local file stays", async () => {
  await using b = await startTestEnv();
  for (const body of ["<html>Sign in</html>", ""]) {
    await b.file("Report.docx", "mine");
    b.sandbox.clearFaults();
    b.sandbox.addFault({
      ...download,
      times: "always",
      status: 200,
      headers: { "content-type": "text/html" },
      body,
    });
    const { code } = await b.run("get", "--conflict", "replace", "General/Report.docx");
    assertEquals(code, 7, body);
    assertEquals(await Deno.readTextFile(join(b.folder, "Report.docx")), "mine");
  }
});

Deno.test("a file that changes while it is uploaded is told, and not called the same", async () => {
  await using b = await startTestEnv();
  const file = await b.file("big.bin", pseudoRandomBytes(3 * UNIT));
  b.sandbox.addFault({ ...fragments, nth: 1, delayMs: 700 });
  const child = b.spawn("put-large", ...SMALL, file, "General/");
  await until(() => fragmentCount(b) > 0);
  await b.file("big.bin", pseudoRandomBytes(3 * UNIT, 9));
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(new TextDecoder().decode(stderr), /changed during the upload/);
  assertEquals(b.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
  assertEquals(b.sandbox.tenant.openSessions(), []);
});

Deno.test("a success that does not say what was stored is no success", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.docx", "abc");
  for (const body of [{}, "null"]) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({ method: "PUT", path: "/content", status: 201, body });
    const { code, stderr } = await b.run("put", file, "General/");
    assertEquals(code, 1);
    assertMatch(stderr, /does not say what it stored/);
  }
});

Deno.test("a closed standard output or error does not stop an upload", async () => {
  await using b = await startTestEnv();
  const files = await Promise.all(["1.txt", "2.txt", "3.txt"].map((name) => b.file(name, name)));
  b.sandbox.addFault({ method: "PUT", path: "/content", delayMs: 300 });
  const child = b.spawn("put", "--verbose", files[0]!, "nope.txt", files[1]!, files[2]!, "General/");
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  assertEquals((await child.status).code, 3);
  for (const name of ["1.txt", "2.txt", "3.txt"]) {
    assert(b.sandbox.tenant.find("Documents", `General/${name}`), name);
  }
});

Deno.test("a session that goes to and fro is given up", async () => {
  await using b = await startTestEnv();
  let there = false;
  b.sandbox.addFault({
    ...fragments,
    times: "always",
    rewrite: (answer) => {
      there = !there;
      return {
        ...answer,
        status: 202,
        body: JSON.stringify({ nextExpectedRanges: [there ? `${UNIT}-` : "0-"] }),
      };
    },
  });
  const { code, stderr } = await b.run(
    "put-large",
    ...SMALL,
    await b.file("big.bin", pseudoRandomBytes(4 * UNIT)),
    "General/",
  );
  assertEquals(code, 8);
  assertMatch(stderr, /does not advance/);
  assert(fragmentCount(b) < 12, `${fragmentCount(b)} fragments`);
});

Deno.test("answers of a session that cannot be understood lead to the question where it stands", async () => {
  await using b = await startTestEnv();
  for (const body of ["", "<html>", "null", "[]", '{"nextExpectedRanges": 5}']) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 202, body });
    const bytes = pseudoRandomBytes(4 * UNIT);
    const { code, stderr } = await b.run("put-large", ...SMALL, await b.file("big.bin", bytes), "General/");
    assertEquals(code, 0, `${body}: ${stderr}`);
    assertEquals(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), bytes);
  }
});

Deno.test("a renamed file whose last answer was lost is not uploaded a second time", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.bin", pseudoRandomBytes(2 * UNIT));
  b.sandbox.tenant.addFile("Documents", "General/a.bin", "old");
  b.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 500, body: "" });
  const { code, stderr } = await b.run("put-large", ...SMALL, "--conflict", "rename", file, "General/");
  assertEquals(code, 8);
  assertMatch(stderr, /may have got another/);
  const copies = jsonLines((await b.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    /^a.*\.bin$/.test(name as string)
  );
  assertEquals(copies.length, 2);
});

Deno.test("a commit that takes a moment is waited for", async () => {
  await using b = await startTestEnv();
  const file = await b.file("a.bin", pseudoRandomBytes(2 * UNIT));
  b.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 500, body: "" });
  b.sandbox.addFault({
    service: "graph",
    path: /General\/a\.bin$/,
    nth: 2,
    status: 404,
    body: { error: { code: "itemNotFound" } },
  });
  const { stdout, stderr } = await b.run(
    "put-large",
    "--json",
    "--conflict",
    "fail",
    ...SMALL,
    file,
    "General/",
  );
  assertEquals(jsonLines(stdout)[0]?.result, "created", stderr);
});

Deno.test("Ctrl-C while a session is created, and a terminal that closes, leave nothing that blocks the name", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  const file = await b.file("big.bin", pseudoRandomBytes(4 * UNIT));
  b.sandbox.addFault({ path: "createUploadSession", delayMs: 700, when: "after" });
  const interrupted = b.spawn("put-large", ...SMALL, file, "General/");
  await until(() => b.sandbox.tenant.openSessions().length > 0);
  interrupted.kill("SIGINT");
  assertEquals((await interrupted.output()).code, 130);
  b.sandbox.addFault({ ...fragments, nth: 2, delayMs: 10_000 });
  const closed = b.spawn("put-large", ...SMALL, file, "General/");
  await until(() => fragmentCount(b) > 1);
  closed.kill("SIGHUP");
  assertEquals((await closed.output()).code, 130);
  b.sandbox.clearFaults();
  assertEquals((await b.run("put-large", ...SMALL, file, "General/")).code, 0);
  assertEquals(b.sandbox.tenant.openSessions(), []);
});

Deno.test("two files of one name are not uploaded over each other", async () => {
  await using b = await startTestEnv();
  for (const folder of ["a", "b"]) await Deno.mkdir(join(b.folder, folder));
  const before = b.sandbox.requests.length;
  const { code, stderr } = await b.run(
    "put",
    await b.file("a/x.txt", "1"),
    await b.file("b/X.txt", "2"),
    "General/",
  );
  assertEquals(code, 2);
  assertMatch(stderr, /would have the same name/);
  assertEquals(b.sandbox.requests.length, before);
});

Deno.test("a proxy that drops ranges and connections does not make a download endless", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/big.bin", pseudoRandomBytes(1_000_000));
  b.sandbox.addFault({ ...download, times: "always", hideHeaders: ["range"], truncateBodyTo: 100_000 });
  const { code, stderr } = await b.run("get", "General/big.bin");
  assertEquals(code, 8);
  assertMatch(stderr, /start over 3 times/);
});

Deno.test("a version that came between the facts and the content is received as it is now", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/a.bin", "old");
  b.sandbox.addFault({ ...download, delayMs: 700 });
  const child = b.spawn("get", "General/a.bin");
  await until(() => b.sandbox.requests.some(({ service }) => service === "storage"));
  b.sandbox.tenant.addFile("Documents", "General/a.bin", "newer");
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readTextFile(join(b.folder, "a.bin")), "newer");
});

Deno.test("content is asked for as it is, not compressed", async () => {
  await using b = await startTestEnv();
  await b.run("get", "General/Agenda.md");
  assertEquals(
    b.sandbox.requests.find(({ service }) => service === "storage")?.headers["accept-encoding"],
    "identity",
  );
});

Deno.test("a name that just fits the disk can be downloaded; a pipe is not replaced", async () => {
  if (Deno.build.os !== "linux") return;
  await using b = await startTestEnv();
  const name = `${"世".repeat(80)}.txt`;
  b.sandbox.tenant.addFile("Documents", `General/${name}`, "x");
  assertEquals((await b.run("get", `General/${name}`)).code, 0);
  await new Deno.Command("mkfifo", { args: [join(b.folder, "pipe")] }).output();
  assertEquals((await b.run("get", "--conflict", "replace", `General/${name}`, "pipe")).code, 2);
  assert((await Deno.stat(join(b.folder, "pipe"))).isFifo, "replaced");
});

Deno.test("a name typed in another Unicode form or case is the same file", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/Ümlaut.txt", "old");
  const file = await b.file("x.txt", "new");
  assertMatch((await b.run("put", file, "General/U\u0308MLAUT.txt")).stdout, /^replaced /);
  assertEquals(
    await b.sandbox.tenant.bytes("Documents", "General/Ümlaut.txt"),
    new TextEncoder().encode("new"),
  );
});
