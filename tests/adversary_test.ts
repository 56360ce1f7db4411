import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { sameBytes } from "./download_bench.ts";
import { type Bench, bench, jsonLines, noise } from "./harness.ts";

const UNIT = 327_680;
const OLD = new Date(1_700_000_000_000);
const SMALL = ["--fragment-size", "320KiB"];

/** Writes a local file that was last changed long ago. */
async function oldFile(b: Bench, name: string, content: string | Uint8Array): Promise<string> {
  const path = await b.file(name, content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("a beginning that was only a guess stays one in a later process", async () => {
  await using b = await bench();
  const content = noise(6 * 1024 * 1024, 3);
  b.sandbox.tenant.addFile("Documents", "General/scan.pdf", content);
  await b.file("scan.pdf", noise(2 * 1024 * 1024, 7));
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
  await using b = await bench();
  b.sandbox.tenant.behavior.rewriteOfficeFiles = "after-answer";
  await oldFile(b, "one.docx", noise(2000));
  await oldFile(b, "two.docx", noise(3000));
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

Deno.test("a look at a sent file that fails afterwards does not make the upload fail", async () => {
  await using b = await bench();
  await oldFile(b, "one.docx", noise(2000));
  b.sandbox.addFault({ method: "GET", path: /\/items\/[^/:]+$/, times: "always", status: 404 });
  const { code, stderr } = await b.run("put", "--if-changed", "one.docx", "General/");
  assertEquals(code, 0, stderr);
});

Deno.test("a record that cannot be written does not make a finished upload fail", async () => {
  await using b = await bench();
  await Deno.mkdir(join(b.sandbox.env.GRAPH_SCRIPTS_HOME!, "rewritten.jsonl"));
  const { code, stdout, stderr } = await b.run("put", await b.file("a.docx", "x"), "General/");
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /created/);
  assertMatch(stderr, /--if-changed/);
});

Deno.test("an unfinished upload does not go on into a folder that was renamed meanwhile", async () => {
  await using b = await bench();
  b.sandbox.tenant.addFolder("Documents", "General/Work");
  const content = noise(4 * UNIT);
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
  await using b = await bench();
  const before = await b.sandbox.tenant.bytes("Documents", "General/Agenda.md");
  const { id } = b.sandbox.tenant.find("Documents", "General/Agenda.md")!;
  await b.file("1.txt", "1");
  await b.file("2.txt", "2");
  const { code, stdout } = await b.run("put", "1.txt", "2.txt", `id:${id}`);
  assert(code !== 0, stdout);
  assertEquals(await b.sandbox.tenant.bytes("Documents", "General/Agenda.md"), before);
});

Deno.test("several folders into a folder by its id keep their names", async () => {
  await using b = await bench();
  for (const name of ["a", "b"]) {
    await Deno.mkdir(join(b.folder, name));
    await b.file(`${name}/x.txt`, name);
  }
  const { id } = b.sandbox.tenant.find("Documents", "General")!;
  const { code, stdout, stderr } = await b.run("put", "-r", "a", "b", `id:${id}`);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).toSorted(), [
    "created General/a/x.txt (1 B, same)",
    "created General/b/x.txt (1 B, same)",
  ]);
});

Deno.test("a local folder whose own name the service forbids is refused before anything is sent", async () => {
  await using b = await bench();
  await Deno.mkdir(join(b.folder, "what?"));
  await b.file("what?/a.txt", "a");
  await b.file("what?/b.txt", "b");
  const { code, stderr } = await b.run("put", "-r", "what?", "General/");
  assertEquals(code, 2, stderr);
  assertEquals(stderr.split("\n").filter(Boolean).length, 1, stderr);
});

Deno.test("a dry run tells that it could not look, and does not promise to create", async () => {
  await using b = await bench();
  await b.file("a.txt", "a");
  b.sandbox.addFault({ method: "GET", path: "General:/a.txt", status: 403, times: "always" });
  b.sandbox.addFault({ method: "GET", path: "General/a.txt", status: 403, times: "always" });
  const { code, stdout, stderr } = await b.run("put", "--dry-run", "a.txt", "General/");
  assertEquals([code, stdout], [5, ""], stderr);
});

Deno.test("an argument with a path that cannot be is one failure among the others", async () => {
  await using b = await bench();
  await b.file("a.txt", "a");
  const { code, stdout, stderr } = await b.run("put", "a.txt/x", "a.txt", "General/");
  assertEquals([code, stdout], [2, "created General/a.txt (1 B, same)\n"], stderr);
});

Deno.test("Ctrl-C tells of each upload how far it got", async () => {
  await using b = await bench();
  for (const name of ["one.bin", "two.bin"]) await oldFile(b, name, noise(20 * 1024 * 1024, name.length));
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
  assertEquals(text.split("\n").filter(Boolean).length, 2, text);
});

Deno.test("a failure of the network says which file it is of", async () => {
  await using b = await bench();
  await b.file("a.txt", "a");
  b.sandbox.addFault({ method: "PUT", drop: true, times: "always" });
  const { stderr } = await b.run("put", "--max-wait", "0s", "a.txt", "General/");
  assertMatch(stderr, /a\.txt/);
});

Deno.test("unfinished uploads of another cloud are listed, and the others as well", async () => {
  await using b = await bench();
  await oldFile(b, "big.bin", noise(4 * UNIT));
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
  await using b = await bench();
  await oldFile(b, "big.bin", noise(2 * UNIT));
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
