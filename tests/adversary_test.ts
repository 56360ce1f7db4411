import { assert, assertEquals, assertMatch, assertRejects } from "./assert.ts";
import { join } from "../lib/std.ts";
import { wordDocument } from "./upload/documents.ts";
import { sameBytes } from "./download/download_env.ts";
import {
  commandLine,
  environment,
  jsonLines,
  pseudoRandomBytes,
  type ScriptName,
  startTestEnv,
  type TestEnv,
} from "./test_env.ts";
import { GraphClient } from "../lib/graph/client.ts";
import { HttpClient } from "../lib/http/client.ts";
import { runPool } from "../lib/transfer/jobs.ts";
import type { LocalContent } from "../lib/local/local_file.ts";
import { readLocalTree } from "../lib/upload/local_tree.ts";
import { Pace } from "../lib/http/pace.ts";
import { uploadSimple } from "../lib/upload/simple.ts";
import type { TransferContext } from "../lib/transfer/result.ts";

const UNIT = 327_680;
const OLD = new Date(1_700_000_000_000);
const SMALL = ["--fragment-size", "320KiB"];

/** Writes a local file that was last changed long ago. */
async function oldFile(b: TestEnv, name: string, content: string | Uint8Array): Promise<string> {
  const path = await b.file(name, content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("a beginning that was only a guess stays one in a later process", async () => {
  await using b = await startTestEnv();
  const content = pseudoRandomBytes(6 * 1024 * 1024, 3);
  b.sandbox.tenant.addFile("Documents", "General/scan.pdf", content);
  await b.file("scan.pdf", pseudoRandomBytes(2 * 1024 * 1024, 7));
  b.sandbox.addFault({
    service: "storage",
    method: "GET",
    status: 503,
    times: "always",
    headers: { "retry-after": "900" },
  });
  const first = await b.run("get", "--conflict", "resume", "General/scan.pdf");
  assertEquals(first.code, 8, first.stderr);
  b.sandbox.clearFaults();
  const { code, stderr } = await b.run("get", "--conflict", "resume", "General/scan.pdf");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await Deno.readFile(join(b.folder, "scan.pdf")), content), "not what is on the server");
});

Deno.test("somebody's change during the run is not taken for the service's own rewriting", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.behavior.rewriteOfficeFiles = "after-answer";
  await oldFile(b, "one.docx", wordDocument(2000));
  await oldFile(b, "two.docx", wordDocument(3000));
  b.sandbox.addFault({
    method: "PUT",
    service: "storage",
    nth: 2,
    rewrite: (answer) => {
      b.sandbox.tenant.addFile("Documents", "General/one.docx", "somebody else's");
      return answer;
    },
  });
  const { code, stderr } = await b.run(
    "put",
    "--jobs",
    "1",
    "--if-changed",
    "one.docx",
    "two.docx",
    "General/",
  );
  assertEquals(code, 0, stderr);
  const again = await b.run("put", "--json", "--if-changed", "one.docx", "two.docx", "General/");
  assertEquals(jsonLines(again.stdout).map(({ path, result }) => [path, result]).toSorted(), [
    ["General/one.docx", "replaced"],
    ["General/two.docx", "unchanged"],
  ]);
});

Deno.test("an unfinished upload does not go on into a folder that was renamed meanwhile", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFolder("Documents", "General/Work");
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(b, "big.bin", content);
  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", ...SMALL, "big.bin", "General/Work/")).code, 8);
  b.sandbox.clearFaults();
  const { id, driveId } = b.sandbox.tenant.find("Documents", "General/Work")!;
  const drive = b.sandbox.tenant.drive(driveId);
  const folder = drive.item(id)!;
  drive.update(folder, { name: "Old" }, folder.createdBy);
  b.sandbox.tenant.addFolder("Documents", "General/Work");
  const { code, stderr } = await b.run("put-large", ...SMALL, "big.bin", "General/Work/");
  assertEquals(code, 0, stderr);
  assert(b.sandbox.tenant.find("Documents", "General/Work/big.bin"), "it is not where it was said to be");
  assertEquals(b.sandbox.tenant.find("Documents", "General/Old/big.bin"), undefined);
});

Deno.test("several files never replace one item by its id", async () => {
  await using b = await startTestEnv();
  const before = await b.sandbox.tenant.bytes("Documents", "General/Agenda.md");
  const { id } = b.sandbox.tenant.find("Documents", "General/Agenda.md")!;
  await b.file("1.txt", "1");
  await b.file("2.txt", "2");
  const { code, stdout } = await b.run("put", "1.txt", "2.txt", `id:${id}`);
  assert(code !== 0, stdout);
  assertEquals(await b.sandbox.tenant.bytes("Documents", "General/Agenda.md"), before);
});

Deno.test("several folders into a folder by its id keep their names", async () => {
  await using b = await startTestEnv();
  for (const name of ["a", "b"]) {
    await Deno.mkdir(join(b.folder, name));
    await b.file(`${name}/x.txt`, name);
  }
  const { id } = b.sandbox.tenant.find("Documents", "General")!;
  const { code, stdout, stderr } = await b.run("put", "-r", "a", "b", `id:${id}`);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).toSorted(), [
    "created General/a/x.txt (1 B, verified)",
    "created General/b/x.txt (1 B, verified)",
  ]);
});

Deno.test("a local folder whose own name the service forbids is refused before anything is sent", async () => {
  await using b = await startTestEnv();
  await Deno.mkdir(join(b.folder, "what?"));
  await b.file("what?/a.txt", "a");
  await b.file("what?/b.txt", "b");
  const { code, stderr } = await b.run("put", "-r", "what?", "General/");
  assertEquals(code, 2, stderr);
  assertEquals(stderr.split("\n").filter(Boolean).length, 1, stderr);
});

Deno.test("a dry run tells that it could not look, and does not promise to create", async () => {
  await using b = await startTestEnv();
  await b.file("a.txt", "a");
  b.sandbox.addFault({ method: "GET", path: "General:/a.txt", status: 403, times: "always" });
  b.sandbox.addFault({ method: "GET", path: "General/a.txt", status: 403, times: "always" });
  const { code, stdout, stderr } = await b.run("put", "--dry-run", "a.txt", "General/");
  assertEquals([code, stdout], [5, ""], stderr);
});

Deno.test("an argument with a path that cannot be is one failure among the others", async () => {
  await using b = await startTestEnv();
  await b.file("a.txt", "a");
  const { code, stdout, stderr } = await b.run("put", "a.txt/x", "a.txt", "General/");
  assertEquals([code, stdout], [2, "created General/a.txt (1 B, verified)\n"], stderr);
});

Deno.test("Ctrl-C tells of each upload how far it got", async () => {
  await using b = await startTestEnv();
  for (const name of ["one.bin", "two.bin"]) {
    await oldFile(b, name, pseudoRandomBytes(20 * 1024 * 1024, name.length));
  }
  b.sandbox.addFault({ service: "storage", method: "PUT", nth: 3, times: "always", delayMs: 20_000 });
  const child = b.spawn("put", "one.bin", "two.bin", "General/");
  await until(() =>
    b.sandbox.requests.filter(({ fault }) => fault !== undefined).length >= 2 ||
    b.sandbox.requests.filter(({ method, service }) => method === "PUT" && service === "storage").length >= 4
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  b.sandbox.clearFaults();
  assertEquals(code, 130, text);
  for (const name of ["one.bin", "two.bin"]) assertMatch(text, new RegExp(`${name}.*20971520 bytes`), text);
  assertEquals(text.split("\n").filter(Boolean).length, 3, text);
});

Deno.test("a failure of the network says which file it is of", async () => {
  await using b = await startTestEnv();
  await b.file("a.txt", "a");
  b.sandbox.addFault({ method: "PUT", drop: true, times: "always" });
  const { stderr } = await b.run("put", "--max-wait", "0s", "a.txt", "General/");
  assertMatch(stderr, /a\.txt/);
});

Deno.test("unfinished uploads of another cloud are listed, and the others as well", async () => {
  await using b = await startTestEnv();
  await oldFile(b, "big.bin", pseudoRandomBytes(4 * UNIT));
  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", ...SMALL, "big.bin", "General/")).code, 8);
  b.sandbox.clearFaults();
  const uploads = join(b.sandbox.env.GRAPH_SCRIPTS_HOME!, "uploads");
  const names = (await Array.fromAsync(Deno.readDir(uploads))).map(({ name }) => name);
  const name = names.find((name) => name.endsWith(".json"));
  const entry = JSON.parse(await Deno.readTextFile(join(uploads, name!)));
  await Deno.writeTextFile(
    join(uploads, `${"0".repeat(32)}.json`),
    JSON.stringify({ ...entry, path: "Else/where.bin", uploadUrl: "https://elsewhere.example/x" }),
    { mode: 0o600 },
  );
  const { stdout, stderr } = await b.run("put-large", "--list");
  assertMatch(stdout, /General\/big\.bin/, stderr);
  assert(!stderr.includes("elsewhere.example/x"));
});

Deno.test("Ctrl-C while a session's creation waits ends at once", async () => {
  await using b = await startTestEnv();
  await oldFile(b, "big.bin", pseudoRandomBytes(2 * UNIT));
  b.sandbox.addFault({
    path: "createUploadSession",
    status: 503,
    times: "always",
    headers: { "retry-after": "60" },
  });
  const child = b.spawn("put-large", ...SMALL, "big.bin", "General/");
  await until(() => b.sandbox.requests.some(({ path }) => path.includes("createUploadSession")));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const started = performance.now();
  child.kill("SIGINT");
  const { code } = await child.output();
  assertEquals(code, 130);
  assert(performance.now() - started < 5_000, `${performance.now() - started} ms`);
});

Deno.test("what cannot be looked at in a local folder is one failure, and the rest is sent", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  await Deno.mkdir(join(b.folder, "photos/sub"), { recursive: true });
  await b.file("photos/a.txt", "a");
  await b.file("photos/sub/b.txt", "b");
  await Deno.symlink("loop", join(b.folder, "photos", "loop"));
  const { code, stdout, stderr } = await b.runProcess("put", "-r", "photos", "General/");
  assertEquals(stdout.split("\n").filter(Boolean).length, 2, stderr);
  assert(code !== 0, "a file was left out and nobody was told");
  assertMatch(stderr, /photos\/loop/);
});

Deno.test("Ctrl-C ends the hashing of a large local file", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  const path = await b.file("big.pdf", "");
  await Deno.truncate(path, 8 * 1024 ** 3); // sparse
  b.sandbox.tenant.addFile("Documents", "General/big.pdf", "x");
  b.sandbox.addFault({ method: "GET", path: "big.pdf", times: "always", patch: { size: 8 * 1024 ** 3 } });
  const before = b.sandbox.requests.length;
  const child = b.spawn("put", "--if-changed", "big.pdf", "General/");
  await until(() => b.sandbox.requests.slice(before).some(({ path }) => path.includes("big.pdf")));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const started = performance.now();
  child.kill("SIGINT");
  assertEquals((await child.output()).code, 130);
  assert(performance.now() - started < 3_000, `${performance.now() - started} ms`);
});

Deno.test("ten thousand names of one folder are compared in no time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (let i = 0; i < 10_000; i++) await Deno.writeTextFile(join(folder, `file number ${i}.txt`), "");
    const started = performance.now();
    assertEquals((await readLocalTree(folder)).files.length, 10_000);
    assert(performance.now() - started < 3_000, `${performance.now() - started} ms`);
    const ended = new AbortController();
    ended.abort();
    await assertRejects(() => readLocalTree(folder, ended.signal));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a clock that was set back holds up nobody", () => {
  const pace = new Pace();
  const hour = 3_600_000;
  pace.hold("a.example", 2 * hour + 1000);
  assertEquals(pace.delayMs("a.example", 2 * hour), 1000);
  assertEquals(pace.delayMs("a.example", hour), 0);
});

Deno.test("a list of transfers that breaks off leaves none of them running", async () => {
  let ended = false;
  async function* list() {
    yield 1;
    await Promise.resolve();
    throw new Error("broken off");
  }
  await assertRejects(() =>
    runPool(list(), 4, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ended = true;
    })
  );
  assert(ended, "it still ran");
});

Deno.test("a name that another program takes while a download runs is not replaced, in any way of asking", async () => {
  for (const how of ["fail", "skip", "resume"]) {
    await using b = await startTestEnv();
    b.sandbox.tenant.addFile("Documents", "General/x.bin", pseudoRandomBytes(1000));
    b.sandbox.addFault({
      service: "storage",
      method: "GET",
      rewrite: async (answer) => {
        await b.file("x.bin", "theirs");
        return answer;
      },
    });
    const { code, stderr } = await b.run("get", "--conflict", how, "General/x.bin");
    assertEquals(code, 6, `${how}: ${stderr}`);
    assertEquals(await Deno.readTextFile(join(b.folder, "x.bin")), "theirs");
  }
});

Deno.test("a dry run of get tells the conflicts that a real one would meet", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/x.bin", pseudoRandomBytes(1000));
  await b.file("x.bin", pseudoRandomBytes(2000));
  assertEquals((await b.run("get", "--conflict", "resume", "General/x.bin")).code, 6);
  assertEquals((await b.run("get", "--dry-run", "--conflict", "resume", "General/x.bin")).code, 6);
  assertEquals((await b.run("get", "General/x.bin", "nowhere/x.bin")).code, 3);
  assertEquals((await b.run("get", "--dry-run", "General/x.bin", "nowhere/x.bin")).code, 3);
  await b.file("y.bin", pseudoRandomBytes(1000));
  const { stdout } = await b.run("get", "--dry-run", "--conflict", "resume", "General/x.bin", "y.bin");
  assertMatch(stdout, /^unchanged/);
});

Deno.test("a dry run leaves no trace on this machine", async () => {
  await using b = await startTestEnv();
  await Deno.mkdir(join(b.folder, "photos"));
  await b.file("photos/big.bin", pseudoRandomBytes(5_000_000));
  await b.file("photos/a.docx", pseudoRandomBytes(500));
  b.sandbox.tenant.addFile("Documents", "General/x.pdf", pseudoRandomBytes(1000));
  const list = async () =>
    (await Array.fromAsync(Deno.readDir(b.sandbox.env.GRAPH_SCRIPTS_HOME!))).map(({ name }) => name)
      .toSorted();
  const before = await list();
  for (
    const args of [["put", "-r", "--if-changed", "photos", "General/"], [
      "put-large",
      "photos/big.bin",
      "General/",
    ], [
      "get",
      "-r",
      "--if-changed",
      "General",
      "there",
    ]] as [ScriptName, ...string[]][]
  ) {
    const [script, ...rest] = args;
    const { code, stderr } = await b.run(script, "--dry-run", ...rest);
    assertEquals(code, 0, stderr);
  }
  assertEquals(await list(), before);
  assertEquals((await Array.fromAsync(Deno.readDir(b.folder))).map(({ name }) => name), ["photos"]);
  const stdin = pseudoRandomBytes(5_000_000);
  assertEquals((await b.runWith({ stdin }, "put", "--dry-run", "-", "General/in.bin")).code, 0);
});

Deno.test("two processes that put different content to one place leave one of them, whole", async () => {
  await using b = await startTestEnv();
  const [one, two] = [pseudoRandomBytes(6_000_000, 1), pseudoRandomBytes(6_000_000, 2)];
  await b.file("one.bin", one);
  await b.file("two.bin", two);
  const ended = await Promise.all([
    b.run("put", "one.bin", "General/same.bin"),
    b.run("put", "two.bin", "General/same.bin"),
  ]);
  const there = await b.sandbox.tenant.bytes("Documents", "General/same.bin");
  const which = ended.map(({ code }) => code);
  assert(which.includes(0), JSON.stringify(ended));
  assert(sameBytes(there, one) || sameBytes(there, two), "neither");
  assert(ended.every(({ code }) => [0, 6, 8].includes(code)), JSON.stringify(ended));
  assertEquals(b.sandbox.tenant.openSessions(), []);
});

Deno.test("Ctrl-C while standard input is read ends at once, and leaves nothing", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  const [program, ...args] = commandLine("put", ["-", "General/in.bin"]);
  const child = new Deno.Command(program!, {
    args,
    cwd: b.folder,
    clearEnv: true,
    env: environment(b.sandbox.env),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(pseudoRandomBytes(6_000_000));
  const spool = join(b.sandbox.env.GRAPH_SCRIPTS_HOME!, "spool");
  while (!await Deno.stat(spool).then(() => true, () => false)) await new Promise((r) => setTimeout(r, 10));
  child.kill("SIGINT");
  const { code, stderr } = await child.status.then(async (status) => ({
    ...status,
    stderr: await new Response(child.stderr).text(),
  }));
  await writer.abort().catch(() => {});
  await child.stdout.cancel();
  assertEquals(code, 130);
  assertEquals(stderr.split("\n").filter(Boolean).length, 1, stderr);
  assertEquals(await Array.fromAsync(Deno.readDir(spool)), []);
});

Deno.test("a folder deleted while a tree is uploaded, or replaced by a file, fails its own files only", async () => {
  await using b = await startTestEnv();
  for (const name of ["one", "two"]) {
    await Deno.mkdir(join(b.folder, "tree", name), { recursive: true });
    for (const file of ["1.txt", "2.txt"]) await b.file(`tree/${name}/${file}`, file);
  }
  b.sandbox.addFault({
    method: "PUT",
    path: "/content",
    rewrite: (answer) => {
      b.sandbox.tenant.remove("Documents", "General/tree/one");
      return answer;
    },
  });
  const { code, stdout, stderr } = await b.run(
    "put",
    "-r",
    "--jobs",
    "1",
    "--max-wait",
    "0s",
    "tree",
    "General/",
  );
  assertEquals(code, 3, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).length, 3, stderr);
  assertEquals(stderr.split("\n").filter((line) => line.includes("2.txt")).length, 1, stderr);
});

Deno.test("Ctrl-C while a remote tree is listed, and while several downloads run, ends with 130 and leaves none half", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  for (let i = 0; i < 6; i++) {
    b.sandbox.tenant.addFile("Documents", `General/Many/${i}.bin`, pseudoRandomBytes(3_000_000, i + 1));
  }
  for (const fault of [{ path: "/children" }, { service: "storage" as const, method: "GET", nth: 3 }]) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({ ...fault, times: "always", delayMs: 15_000 });
    const before = b.sandbox.requests.length;
    const child = b.spawn("get", "-r", "General/Many", "here");
    await until(() =>
      b.sandbox.requests.slice(before).filter(({ path, service }) =>
        "path" in fault ? path.includes("General/Many") : service === "storage"
      ).length >= 1
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    const started = performance.now();
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals(code, 130);
    assert(performance.now() - started < 3_000);
    const text = new TextDecoder().decode(stderr);
    assertMatch(text, /^get: interrupted; run the same command again .*\n(get: .* left, in 0:\d\d\n)?$/);
    const here = await Array.fromAsync(Deno.readDir(join(b.folder, "here"))).catch(() => []);
    for (const { name } of here.filter(({ name }) => name.endsWith(".bin"))) {
      assertEquals((await Deno.stat(join(b.folder, "here", name))).size, 3_000_000, name);
    }
    assertEquals(here.filter(({ name }) => !name.endsWith(".bin")), [], "nothing to go on from was left");
  }
});

Deno.test("a local file that is replaced by another during its upload is sent as one of them", async () => {
  await using b = await startTestEnv();
  const [old, fresh] = [pseudoRandomBytes(4_000_000, 1), pseudoRandomBytes(4_000_000, 2)];
  await oldFile(b, "big.bin", old);
  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 2,
    rewrite: async (answer) => {
      await b.file("new.bin", fresh);
      await Deno.rename(join(b.folder, "new.bin"), join(b.folder, "big.bin"));
      return answer;
    },
  });
  const { code, stderr } = await b.run("put-large", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), old));
});

Deno.test("a file whose content changes behind its time and size is not gone on with", async () => {
  await using b = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(b, "big.bin", content);
  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", ...SMALL, "big.bin", "General/")).code, 8);
  b.sandbox.clearFaults();
  // In the middle of what was sent, where no fingerprint of the edges looks.
  content[UNIT + 7]! ^= 1;
  await oldFile(b, "big.bin", content);
  const { code, stderr } = await b.run("put-large", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), content), stderr);
});

Deno.test("a PDF whose content changes behind its time and size is not gone on with, either", async () => {
  await using b = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(b, "big.pdf", content);
  b.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", ...SMALL, "big.pdf", "General/")).code, 8);
  b.sandbox.clearFaults();
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // Deno tells that time to the second
  content[UNIT + 7]! ^= 1;
  await oldFile(b, "big.pdf", content);
  const { code, stderr } = await b.run("put-large", ...SMALL, "big.pdf", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await b.sandbox.tenant.bytes("Documents", "General/big.pdf"), content), stderr);
});

Deno.test("an upload to a file that was deleted or renamed before it goes on makes the file anew", async () => {
  await using b = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  for (const how of ["deleted", "renamed"]) {
    b.sandbox.tenant.addFile("Documents", "General/big.bin", "first");
    await oldFile(b, "big.bin", content);
    b.sandbox.addFault({
      service: "storage",
      method: "PUT",
      nth: 3,
      times: "always",
      status: 503,
      headers: { "retry-after": "900" },
    });
    assertEquals((await b.run("put-large", ...SMALL, "big.bin", "General/")).code, 8);
    b.sandbox.clearFaults();
    if (how === "deleted") b.sandbox.tenant.remove("Documents", "General/big.bin");
    else {
      const { id, driveId } = b.sandbox.tenant.find("Documents", "General/big.bin")!;
      const item = b.sandbox.tenant.drive(driveId).item(id)!;
      item.drive.update(item, { name: "other.bin" }, item.createdBy);
    }
    const { code, stderr } = await b.run("put-large", ...SMALL, "big.bin", "General/");
    assertEquals(code, 0, `${how}: ${stderr}`);
    assert(sameBytes(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), content), how);
    if (how === "renamed") {
      assertEquals(
        new TextDecoder().decode(await b.sandbox.tenant.bytes("Documents", "General/other.bin")),
        "first",
      );
    }
  }
});

Deno.test("what was left of a download goes once the same file is there in another way", async () => {
  await using b = await startTestEnv();
  const content = pseudoRandomBytes(3_000_000);
  b.sandbox.tenant.addFile("Documents", "General/x.bin", content);
  b.sandbox.addFault(
    { service: "storage", method: "GET", truncateBodyTo: 2_000_000 },
    { service: "storage", method: "GET", status: 503, times: "always", headers: { "retry-after": "900" } },
  );
  assertEquals((await b.run("get", "General/x.bin")).code, 8);
  b.sandbox.clearFaults();
  const partials = async () =>
    (await Array.fromAsync(Deno.readDir(b.folder))).filter(({ name }) => name.endsWith(".partial")).length;
  assertEquals(await partials(), 1);
  await b.file("x.bin", content);
  const { code, stdout } = await b.run("get", "--if-changed", "General/x.bin");
  assertEquals(code, 0);
  assertMatch(stdout, /^unchanged/);
  assertEquals(await partials(), 0);
});

Deno.test("a file that goes in one request has all the time that the deadline leaves, on a slow line", async () => {
  const limits: number[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((work: () => void, ms?: number) => {
    limits.push(ms ?? 0);
    return setTimeout(work, ms);
  }) as typeof setTimeout;
  try {
    const http = new HttpClient({
      fetch: () => Promise.resolve(Response.json({ id: "x", name: "big.bin" })),
    });
    const graph = new GraphClient(http, "https://graph.microsoft.com", {
      token: () => Promise.resolve("t"),
    });
    const size = 64 * 1024 * 1024;
    const content: LocalContent = {
      path: "big.bin",
      name: "big.bin",
      size,
      modified: null,
      reopenable: false,
      read: (buffer) => Promise.resolve(buffer.length),
      state: () => Promise.resolve("unchanged"),
      [Symbol.dispose]: () => {},
    };
    const target = {
      folder: { driveId: "d", itemId: "i" },
      folderId: "i",
      folderPath: "",
      name: "big.bin",
      existing: undefined,
      driveType: "business",
    };
    await uploadSimple({ graph } as TransferContext, content, target, "replace");
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert(Math.max(...limits) >= 300_000, `${limits}`);
});

Deno.test("a folder that has the name of a file is told as what it is, and stays", async () => {
  await using b = await startTestEnv();
  for (const [name, size] of [["a.txt", 1], ["big.bin", 5_000_000]] as const) {
    b.sandbox.tenant.addFolder("Documents", `General/${name}`);
    const { code, stderr } = await b.run("put", await b.file(name, pseudoRandomBytes(size)), "General/");
    assertEquals(code, 6);
    assertMatch(stderr, /is a folder, which no file can replace; choose another name/);
    assertEquals(b.sandbox.tenant.find("Documents", `General/${name}`)!.kind, "folder");
  }
});

Deno.test("a link that leads nowhere is in the way before anything is fetched", async () => {
  if (Deno.build.os === "windows") return;
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/x.bin", "abc");
  await Deno.symlink("nowhere", join(b.folder, "x.bin"));
  for (const how of ["fail", "skip", "resume", "replace"]) {
    const { code, stderr } = await b.run("get", "--conflict", how, "General/x.bin");
    assertEquals(code, 2, how);
    assertMatch(stderr, /x\.bin is a dangling symbolic link/);
  }
  assertEquals(b.sandbox.requests.filter(({ service }) => service === "storage"), []);
  assertEquals((await Array.fromAsync(Deno.readDir(b.folder))).map(({ name }) => name), ["x.bin"]);
});
