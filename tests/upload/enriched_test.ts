/** The verdict `enriched` needs proof; content that cannot be proven is `unverified` or damaged. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { heicFile, jpegFile, ole2File, pdfFile, wordDocument } from "./documents.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import type { FileSpan, ServiceResponse } from "../sandbox/messages.ts";
import { concat } from "../sandbox/tenant/zip.ts";
import { tenantOf } from "../sandbox/conformance/testing.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const WRONG = { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } };
const FACTS = { service: "graph", method: "GET", path: "/drives/", times: "always" } as const;
const DOWNLOAD = { service: "storage", method: "GET", path: "download.aspx" } as const;
const HTML = new TextEncoder().encode(`<html>${"text ".repeat(1000)}</html>`);

/** Rewrites a storage response to serve another file, with that file's headers. */
function insteadOf(env: TestEnv, path: string): (response: ServiceResponse) => ServiceResponse {
  const { content } = tenantOf(env.sandbox).drive("Documents").walk(path.split("/")).item!;
  const body: FileSpan = { file: content!.file, start: content!.start, length: content!.length };
  return ({ status, headers }) => ({ status, headers, body });
}

function downloads(env: TestEnv, from: number): number {
  return env.sandbox.requests.slice(from).filter(({ path }) => path.includes("download.aspx")).length;
}

async function spooled(env: TestEnv): Promise<string[]> {
  const folder = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "spool");
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

const DOCUMENTS: [string, Bytes, string][] = [
  ["a.docx", wordDocument(50_000), "enriched"],
  ["a.doc", ole2File(50_000), "unverified"],
  ["a.docm", ole2File(50_000), "unverified"], // with a password
  ["a.pdf", pdfFile(50_000), "enriched"],
  ["a.jpg", jpegFile(50_000), "enriched"],
  ["a.heic", heicFile(50_000), "enriched"],
  ["a.html", HTML, "unverified"],
  ["a.one", pseudoRandomBytes(5000), "unverified"],
];

Deno.test("get reports unexpected but complete content as enriched when two copies are equal", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ ...FACTS, patch: WRONG });
  for (const [name, bytes, verdict] of DOCUMENTS) {
    env.sandbox.tenant.addFile("Documents", `General/${name}`, bytes);
    const from = env.sandbox.requests.length;
    const { code, stdout, stderr } = await env.run("get", "--json", `General/${name}`);
    assertEquals(
      [code, jsonLines(stdout)[0]?.verdict, downloads(env, from)],
      [0, verdict, 2],
      `${name}: ${stderr}`,
    );
    assertMatch(
      stderr,
      /downloading it once more.*\n.*bytes arrived that differ from the \d+ that the service states/,
    );
    assertEquals(/nothing can prove/.test(stderr), verdict === "unverified", stderr);
    assertEquals(await Deno.readFile(join(env.folder, name)), bytes);
    const [again] = jsonLines((await env.run("get", "--json", "--if-changed", `General/${name}`)).stdout);
    assertEquals([again!.result, again!.verdict], ["unchanged", "unverified"]);
  }
});

Deno.test("get reports unexpected content as damaged in drives where the service does not change files (exit code 7)", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ ...FACTS, patch: WRONG });
  for (const [name, bytes] of DOCUMENTS) {
    env.sandbox.tenant.addFile("me", name, bytes);
    const { code, stderr } = await env.run("get", `me:${name}`);
    assertEquals(code, /heic|one$/.test(name) ? 0 : 7, `${name}: ${stderr}`);
  }
});

Deno.test("get requests no second copy when refreshed properties match or only the size is wrong", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/a.docx", wordDocument(50_000));
  env.sandbox.addFault({ ...FACTS, path: "root:/General/a.docx", times: 1, patch: { ...WRONG, size: 7 } });
  const first = await env.run("get", "--json", "General/a.docx");
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...FACTS, patch: { size: 60_000 } });
  const second = await env.run("get", "--json", "--conflict", "replace", "General/a.docx");
  for (const { code, stdout, stderr } of [first, second]) {
    const [line] = jsonLines(stdout);
    assertEquals(
      [code, line?.verdict, line?.bytes, line?.sentBytes],
      [0, "verified", line?.bytes, line?.bytes],
      stderr,
    );
  }
});

Deno.test("get rejects two different copies with the same QuickXorHash (exit code 7)", async () => {
  await using env = await startTestEnv();
  await env.file("a.heic", "mine");
  const block = 327_680;
  const bytes = heicFile(4 * block);
  const swapped = concat([
    bytes.subarray(0, block),
    bytes.subarray(2 * block, 3 * block),
    bytes.subarray(block, 2 * block),
    bytes.subarray(3 * block),
  ]);
  env.sandbox.tenant.addFile("Documents", "General/a.heic", bytes);
  const { quickXorHash } = env.sandbox.tenant.addFile("Documents", "General/swapped.heic", swapped);
  assertEquals(quickXorHash, env.sandbox.tenant.find("Documents", "General/a.heic")!.quickXorHash);
  env.sandbox.addFault({ ...FACTS, patch: WRONG });
  env.sandbox.addFault({ ...DOWNLOAD, nth: 2, rewrite: insteadOf(env, "General/swapped.heic") });
  const { code, stderr } = await env.run("get", "--conflict", "replace", "General/a.heic");
  assertEquals(code, 7, stderr);
  assertMatch(stderr, /each download differs.*kept as/);
  assertEquals(await Deno.readTextFile(join(env.folder, "a.heic")), "mine");
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...FACTS, patch: WRONG });
  env.sandbox.addFault({ ...DOWNLOAD, nth: 2, rewrite: insteadOf(env, "General/swapped.heic") });
  assertEquals((await env.runProcess("get", "General/a.heic", "-")).code, 7);
  assertEquals(await spooled(env), []);
});

Deno.test("get recognizes complete content of another item by its ETag (exit code 7)", async () => {
  await using env = await startTestEnv();
  await env.file("a.docx", "mine");
  env.sandbox.tenant.addFile("Documents", "General/a.docx", wordDocument(50_000));
  const other = env.sandbox.tenant.addFile("Documents", "General/b.docx", wordDocument(50_000, 2));
  const serve = insteadOf(env, "General/b.docx");
  const rewrite = (response: ServiceResponse) => {
    const { status, headers, body } = serve(response);
    return { status, headers: { ...headers, etag: other.eTag }, body };
  };
  env.sandbox.addFault({ ...DOWNLOAD, times: "always", rewrite });
  const { code, stderr } = await env.run("get", "--conflict", "replace", "General/a.docx");
  assertEquals(code, 7, stderr);
  assertMatch(stderr, /is of another item/);
  assertEquals(await Deno.readTextFile(join(env.folder, "a.docx")), "mine");
  assertEquals((await env.runProcess("get", "General/a.docx", "-")).code, 7);
});

Deno.test("get to standard output confirms enriched with a second copy and deletes it", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/a.heic", "stated");
  env.sandbox.tenant.addFile("Documents", "General/converted.heic", heicFile(50_000));
  env.sandbox.addFault({ ...DOWNLOAD, times: "always", rewrite: insteadOf(env, "General/converted.heic") });
  const { code, stdout, stderr } = await env.runProcess("get", "--json", "General/a.heic", "-");
  assertEquals(code, 0, stderr);
  assertEquals(stdout, new TextDecoder().decode(heicFile(50_000)));
  assertMatch(stderr, /"verdict":"enriched"/);
  assertEquals(await spooled(env), []);
});

Deno.test("get resumes a download of unexpected content and compares it with a second copy", async () => {
  await using env = await startTestEnv();
  const photo = heicFile(3_000_000);
  env.sandbox.tenant.addFile("Documents", "General/a.heic", "stated");
  env.sandbox.tenant.addFile("Documents", "General/converted.heic", photo);
  const serve = insteadOf(env, "General/converted.heic");
  const rewrite = (response: ServiceResponse) => serve({ ...response, status: 200 });
  env.sandbox.addFault({ ...DOWNLOAD, rewrite, truncateBodyTo: 2_000_000 });
  env.sandbox.addFault({ ...DOWNLOAD, times: 6, status: 503, headers: { "retry-after": "900" } });
  assertEquals((await env.run("get", "General/a.heic")).code, 8);
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...DOWNLOAD, times: "always", rewrite, hideHeaders: ["range"] });
  const { code, stdout, stderr } = await env.run("get", "--json", "General/a.heic");
  assertEquals([code, jsonLines(stdout)[0]?.verdict], [0, "enriched"], stderr);
  assertEquals(await Deno.readFile(join(env.folder, "a.heic")), photo);
});

Deno.test("put confirms enriched by reading the file back, and --if-changed does not read it again", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "in-response";
  for (const script of ["put", "put-large"] as const) {
    const file = await env.file("Plan.docx", wordDocument(5_000_000, script.length));
    const modified = new Date(1_700_000_000_000 + script.length * 1000);
    await Deno.utime(file, modified, modified);
    const from = env.sandbox.requests.length;
    const first = await env.run(script, "--json", "--if-changed", file, "General/");
    assertEquals([first.code, jsonLines(first.stdout)[0]?.verdict], [0, "enriched"], first.stderr);
    assertEquals(downloads(env, from), 1);
    const again = await env.run(script, "--json", "--if-changed", file, "General/");
    const [line] = jsonLines(again.stdout);
    assertEquals(
      [line?.result, line?.verdict, downloads(env, from)],
      ["unchanged", "unverified", 1], // by its time
      again.stderr,
    );
  }
  assertEquals(await spooled(env), []);
});

Deno.test("put fails when it cannot read the stored file back (exit code 8)", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "in-response";
  const file = await env.file("Plan.docx", wordDocument(5000));
  env.sandbox.addFault({ ...DOWNLOAD, times: "always", status: 503, headers: { "retry-after": "900" } });
  const { code, stdout, stderr } = await env.run("put", file, "General/");
  assertEquals([code, stdout], [8, ""], stderr);
  assertMatch(stderr, /General\/Plan\.docx is stored, but not as it was sent, and cannot be read back: /);
  assertMatch(stderr, /look at it before you upload it again/);
});

Deno.test("put does not replace a file that was changed after the upload (exit code 7)", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "in-response";
  const file = await env.file("Plan.docx", wordDocument(5000));
  const theirs = wordDocument(5000, 2);
  const rewrite = (response: ServiceResponse) => {
    env.sandbox.tenant.addFile("Documents", "General/Plan.docx", theirs);
    return response;
  };
  env.sandbox.addFault({ method: "PUT", path: "/uploadSession", rewrite });
  const { code, stdout, stderr } = await env.run("put", file, "General/");
  assertEquals([code, stdout], [7, ""], stderr);
  assertMatch(stderr, /was changed since/);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Plan.docx"), theirs);
});

Deno.test("put fails when the local file changes before the comparison (exit code 6)", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "in-response";
  const file = await env.file("Plan.docx", wordDocument(5000));
  const rewrite = async (response: ServiceResponse) => {
    await Deno.writeFile(file, wordDocument(6000));
    return response;
  };
  env.sandbox.addFault({ ...DOWNLOAD, rewrite });
  const { code, stderr } = await env.run("put", file, "General/");
  assertEquals(code, 6, stderr);
  assertMatch(stderr, /Plan\.docx changed during the upload/);
});

Deno.test("put reports another stored document as damaged, whichever way it was stored (exit code 7)", async () => {
  await using env = await startTestEnv();
  const sent = wordDocument(50_000);
  const file = await env.file("Plan.docx", sent);
  const others = {
    shorter: sent.subarray(0, 25_000),
    another: wordDocument(50_000, 2),
    text: HTML,
    old: ole2File(90_000),
  };
  for (const [what, bytes] of Object.entries(others)) {
    env.sandbox.clearFaults();
    // As if the service had stored and reported other content.
    const rewrite = (response: ServiceResponse) => {
      const item = tenantOf(env.sandbox).drive("Documents").walk(["General", "Plan.docx"]).item!;
      item.drive.replaceContent(item, tenantOf(env.sandbox).store.put(bytes), item.modifiedBy);
      const body = JSON.parse(response.body as string);
      return { ...response, body: JSON.stringify({ ...body, size: bytes.length, ...WRONG }) };
    };
    env.sandbox.addFault({ method: "PUT", path: "/uploadSession", times: "always", rewrite });
    const { code, stderr } = await env.run("put", file, "General/");
    assertEquals(code, 7, `${what}: ${stderr}`);
    assert(!stderr.includes("internal"), stderr);
  }
});

Deno.test("put --if-changed uploads a file again whose stored copy was damaged", async () => {
  await using env = await startTestEnv();
  const file = await env.file("Plan.docx", wordDocument(5000));
  await Deno.utime(file, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  env.sandbox.tenant.behavior.storedDamage = "flipped-byte";
  assertEquals((await env.run("put", "--if-changed", file, "General/")).code, 7);
  env.sandbox.tenant.behavior.storedDamage = "no";

  const again = await env.run("put", "--json", "--if-changed", file, "General/");

  assertEquals([again.code, jsonLines(again.stdout)[0]?.verdict], [0, "verified"], again.stderr);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Plan.docx"), wordDocument(5000));
  assertEquals((await env.run("put-large", "--list")).stdout, "");
});

Deno.test("put --if-changed reads a stored file back when an earlier run could not", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "in-response";
  const file = await env.file("Plan.docx", wordDocument(5000));
  await Deno.utime(file, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  env.sandbox.addFault({ ...DOWNLOAD, times: "always", status: 503, headers: { "retry-after": "900" } });
  assertEquals((await env.run("put", "--if-changed", file, "General/")).code, 8);
  env.sandbox.clearFaults();

  const again = await env.run("put", "--json", "--if-changed", file, "General/");

  const [line] = jsonLines(again.stdout);
  assertEquals([again.code, line?.verdict, line?.sentBytes], [0, "enriched", 0], again.stderr);
});
