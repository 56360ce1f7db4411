/** The rules of PROTOCOL 7.3, one test each. */

import { assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { type Sandbox, startSandbox } from "../mod.ts";
import {
  assertError,
  createSession,
  graphOf,
  libraryPath,
  patternBytes,
  raw,
  type Reply,
  send,
  sendFragment,
  tenantOf,
  until,
} from "./testing.ts";

const KIB_320 = 327_680;
const MIB_60 = 62_914_560;

async function session(sandbox: Sandbox, name = "x.bin"): Promise<string> {
  return await createSession(graphOf(sandbox), libraryPath(sandbox, `root:/General/${name}`));
}

function put(url: string, body: Uint8Array<ArrayBuffer>, contentRange?: string): Promise<Reply> {
  const headers: Record<string, string> = contentRange === undefined ? {} : { "content-range": contentRange };
  return send(url, { method: "PUT", body, headers });
}

Deno.test("session rejects a misaligned fragment only at the commit (PROTOCOL U14)", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const bytes = patternBytes(10 * 1024 * 1024);
  const cut = 4 * 1024 * 1024;
  assertEquals((await sendFragment(url, bytes, 0, cut)).status, 202);
  assertError(
    await sendFragment(url, bytes, cut, bytes.length),
    400,
    "invalidRequest",
    "uploadSessionFailed",
  );
  assertEquals(sandbox.tenant.find("Documents", "General/x.bin"), undefined);
});

Deno.test("session accepts a last fragment of any size, even one byte, and files below 320 KiB", async () => {
  await using sandbox = await startSandbox();
  for (
    const length of [1, KIB_320 - 1, KIB_320, KIB_320 + 1, 2 * KIB_320 - 1, 2 * KIB_320, 2 * KIB_320 + 1]
  ) {
    const url = await session(sandbox, `${length}.bin`);
    const bytes = patternBytes(length);
    let reply: Reply | undefined;
    for (let start = 0; start < length; start += KIB_320) {
      reply = await sendFragment(url, bytes, start, Math.min(length, start + KIB_320));
    }
    assertEquals([reply!.status, reply!.json.size], [201, length]);
    assertEquals(await sandbox.tenant.bytes("Documents", `General/${length}.bin`), bytes);
  }
});

Deno.test("session accepts fragments of less than 60 MiB, and rejects one of 60 MiB with 413", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const bytes = patternBytes(MIB_60);
  const total = bytes.length * 2;
  const length = MIB_60 - KIB_320;
  assertError(
    await put(url, bytes, `bytes 0-${MIB_60 - 1}/${total}`),
    413,
    "invalidRequest",
    "maxFragmentLengthExceeded",
  );
  assertEquals((await put(url, bytes.subarray(0, length), `bytes 0-${length - 1}/${total}`)).status, 202);
});

Deno.test("session rejects gaps and overlaps without any change (PROTOCOL U8)", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const bytes = patternBytes(4 * KIB_320);
  assertError(
    await sendFragment(url, bytes, KIB_320, 2 * KIB_320),
    416,
    "invalidRange",
    "fragmentOutOfOrder",
  );
  assertEquals((await sendFragment(url, bytes, 0, 2 * KIB_320)).status, 202);
  assertError(await sendFragment(url, bytes, 0, 2 * KIB_320), 416, "invalidRange", "fragmentOverlap");
  assertError(await sendFragment(url, bytes, KIB_320, 3 * KIB_320), 416, "invalidRange", "fragmentOverlap");
  assertError(
    await sendFragment(url, bytes, 3 * KIB_320, 4 * KIB_320),
    416,
    "invalidRange",
    "fragmentOutOfOrder",
  );
  assertEquals((await send(url)).json.nextExpectedRanges, [`${2 * KIB_320}-`]);
  assertEquals((await sendFragment(url, bytes, 2 * KIB_320, 4 * KIB_320)).status, 201);
  assertEquals(await sandbox.tenant.bytes("Documents", "General/x.bin"), bytes);
});

Deno.test("session rejects concurrent fragments", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const half = patternBytes(KIB_320);
  const target = url.slice(sandbox.storageOrigin.length);
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const head = `PUT ${target} HTTP/1.1\r\nHost: s\r\nContent-Length: ${KIB_320}\r\n` +
    `Content-Range: bytes 0-${KIB_320 - 1}/${2 * KIB_320}\r\n\r\n`;
  await slow.write(new TextEncoder().encode(head));
  await slow.write(half.subarray(0, 1000));
  await until(() => sandbox.requests.length === 2);
  const range = `bytes 0-${KIB_320 - 1}/${2 * KIB_320}`;
  assertError(await put(url, half, range), 416, "invalidRange", "fragmentOutOfOrder");
  slow.close();
  await until(() => sandbox.requests[1]!.requestBytes === 1000);
  assertEquals((await send(url)).json.nextExpectedRanges, ["0-"], "nothing of the broken fragment is kept");
  assertEquals((await put(url, half, range)).status, 202);
});

Deno.test("session canceled while it receives a fragment is deleted", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const target = url.slice(sandbox.storageOrigin.length);
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const range = `Content-Range: bytes 0-9/10`;
  await slow.write(
    new TextEncoder().encode(
      `PUT ${target} HTTP/1.1\r\nHost: s\r\nContent-Length: 10\r\n${range}\r\n\r\n01234`,
    ),
  );
  await until(() => sandbox.requests.length === 2);
  assertEquals((await send(url, { method: "DELETE" })).status, 204);
  await slow.write(new TextEncoder().encode("56789"));
  const buffer = new Uint8Array(200);
  await slow.read(buffer);
  assertStringIncludes(new TextDecoder().decode(buffer), "404 Not Found");
  assertEquals(sandbox.tenant.find("Documents", "General/x.bin"), undefined);
});

Deno.test("session rejects a fragment with another total", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const bytes = patternBytes(KIB_320);
  assertEquals((await put(url, bytes, `bytes 0-${KIB_320 - 1}/${3 * KIB_320}`)).status, 202);
  const reply = await put(url, bytes, `bytes ${KIB_320}-${2 * KIB_320 - 1}/${4 * KIB_320}`);
  assertError(reply, 400, "invalidRequest", "fragmentLengthMismatch");
});

Deno.test("session requires Content-Length to match Content-Range (PROTOCOL U13)", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  for (const range of [`bytes 0-99/1000`, `bytes 0-101/1000`]) {
    const reply = await put(url, patternBytes(101), range);
    assertError(reply, 400, "invalidRequest");
    assertStringIncludes(reply.json.error.message, "does not match the provided number of bytes");
  }
});

Deno.test("session rejects chunked encoding (PROTOCOL U12)", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const target = url.slice(sandbox.storageOrigin.length);
  const head = `PUT ${target} HTTP/1.1\nHost: s\nTransfer-Encoding: chunked\nContent-Range: bytes 0-4/5\n`;
  const text = await raw(sandbox.storageOrigin, `${head}Connection: close\n\n5\nhello\n0\n\n`);
  assertMatch(text, /^HTTP\/1.1 400 [^]*size of the provided stream is not known/);
  const body = new Blob(["hello"]).stream();
  const reply = await send(url, { method: "PUT", body, headers: { "content-range": "bytes 0-4/5" } });
  assertError(reply, 400, "invalidRequest");
  assertStringIncludes(reply.json.error.message, "size of the provided stream is not known");
});

Deno.test("session requires a well-formed, non-empty Content-Range (PROTOCOL U11)", async () => {
  await using sandbox = await startSandbox();
  const url = await session(sandbox);
  const ranges = [
    undefined,
    "bytes 0--1/0",
    "bytes 0-4/*",
    "0-4/5",
    "bytes 0-5/5",
    "bytes 4-0/5",
    "bytes=0-4/5",
  ];
  for (const range of ranges) {
    const reply = await put(url, patternBytes(5), range);
    assertError(reply, 400, "invalidRequest");
    assertStringIncludes(reply.json.error.message, "Content-Range header is missing or malformed");
  }
});

Deno.test("If-Match on a session fails: immediately when wrong, at the first fragment when right (PROTOCOL U17)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Agenda.md:/createUploadSession");
  const { eTag } = sandbox.tenant.find("Documents", "General/Agenda.md")!;
  const create = (tag: string) => graph("POST", path, { item: {} }, { "if-match": tag });
  assertError(await create('"{x},1"'), 412, "resourceModified", "entityTagDoesNotMatch");
  const { uploadUrl } = (await create(eTag)).json;
  assertError(
    await put(uploadUrl, patternBytes(5), "bytes 0-4/5"),
    412,
    "resourceModified",
    "entityTagDoesNotMatch",
  );
});

Deno.test("If-Match on a session holds in the older form of the service (PROTOCOL U17)", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const path = libraryPath(sandbox, "root:/General/Agenda.md:/createUploadSession");
  const { eTag } = sandbox.tenant.find("Documents", "General/Agenda.md")!;
  const { uploadUrl } = (await graphOf(sandbox)("POST", path, { item: {} }, { "if-match": eTag })).json;
  assertEquals((await put(uploadUrl, patternBytes(5), "bytes 0-4/5")).status, 200);
});

Deno.test("full drive rejects the first fragment with 507 (PROTOCOL U24)", async () => {
  await using sandbox = await startSandbox();
  sandbox.tenant.drive("Documents").quotaBytes = tenantOf(sandbox).drive("Documents").root.size + 100;
  const url = await session(sandbox);
  assertError(await put(url, patternBytes(101), "bytes 0-100/101"), 507, "quotaLimitReached");
  assertEquals((await put(url, patternBytes(100), "bytes 0-99/100")).status, 201);
});
