import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  arrived,
  asked,
  benchWith,
  bytesOf,
  contentOf,
  journal,
  killedAfter,
  names,
  partialOf,
  recorded,
  until,
} from "./download_env.ts";
import { jsonLines, type TestEnv } from "../test_env.ts";
import { slowLine } from "./slow_line.ts";

const MIB = 1024 * 1024;
const content = contentOf(6);
const SIZE = content.length;
const SLOW = { bytesPerSecond: 2 * MIB };

/** Downloads over a fast line and returns its result. */
async function goOn(b: TestEnv, ...args: string[]) {
  const { code, stdout, stderr } = await b.run("get", "--json", ...args, "General/big.bin");
  assertEquals(code, 0, stderr);
  return { result: jsonLines(stdout)[0]!, stderr };
}

Deno.test("after a kill the same command goes on from what was recorded, whatever is to be done about conflicts", async () => {
  for (const args of [[], ["--conflict", "replace"], ["--conflict", "skip"], ["--conflict", "resume"]]) {
    await using b = await benchWith(content);
    await using _line = slowLine(b, SLOW);
    await killedAfter(b, MIB);
    const there = bytesOf(await recorded(b));
    const before = b.sandbox.requests.length;
    const { result, stderr } = await goOn(b, ...args);
    assertEquals([result.resumedFrom, result.sentBytes, stderr], [there, SIZE - there, ""]);
    assertEquals(asked(b, before), [`bytes=${there}-`]);
    await arrived(b, content);
  }
});

Deno.test("an unfinished download in parts goes on with the bytes that lack, also with one connection", async () => {
  for (const args of [["--connections", "1"], ["--connections", "3"], []]) {
    await using b = await benchWith(content);
    await using _line = slowLine(b, { bytesPerSecond: MIB });
    await killedAfter(b, 2 * MIB, ["--connections", "3"]);
    const ranges = await recorded(b);
    assert(ranges.length > 1, "the parts did not come side by side");
    const { result } = await goOn(b, ...args);
    assertEquals([result.resumedFrom, result.sentBytes], [bytesOf(ranges), SIZE - bytesOf(ranges)]);
    await arrived(b, content);
  }
});

Deno.test("the partial file and its record are private, and neither holds a link", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  await killedAfter(b, MIB);
  const record = journal(b).find((path) => path.endsWith(".json"))!;
  assertMatch(partialOf(b)!, /\/\.[0-9a-f]{16}\.partial$/);
  if (Deno.build.os !== "windows") {
    for (const path of [record, partialOf(b)!]) {
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600, path);
    }
  }
  const text = await Deno.readTextFile(record);
  assert(!/https?:|tempauth/.test(text), text);
});

Deno.test("a name as long as the file system allows can be gone on with, too", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  const long = "n".repeat(255);
  const child = b.spawn("get", "General/big.bin", long);
  await until(async () => bytesOf(await recorded(b)) >= MIB);
  child.kill("SIGKILL");
  await child.output();
  const { code, stdout } = await b.run("get", "--json", "General/big.bin", long);
  assertEquals(code, 0);
  assert(jsonLines(stdout)[0]!.resumedFrom as number >= MIB);
  assertEquals(await Deno.readFile(join(b.folder, long)), content);
});

Deno.test("Ctrl-C and a service that stays away say how far it got, and keep it", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  if (Deno.build.os !== "windows") {
    const stderr = await killedAfter(b, MIB, [], "SIGINT");
    const there = bytesOf(await recorded(b));
    const share = Math.floor(there / SIZE * 100);
    assertEquals(
      stderr,
      `get: General/big.bin: interrupted; ${there} of ${SIZE} bytes (${share} %) are there; run the same command again to go on from there (interrupted)\n`,
    );
  } else await killedAfter(b, MIB);
  const there = bytesOf(await recorded(b));
  b.sandbox.addFault({
    service: "storage",
    times: "always",
    status: 503,
    headers: { "retry-after": "0" },
  });
  for (const connections of ["1", "4"]) {
    const { code, stderr } = await b.run("get", "--connections", connections, "General/big.bin");
    assertEquals(code, 8);
    assertMatch(
      stderr,
      new RegExp(`${there} of ${SIZE} bytes .* are there; run the same command again to go on`),
    );
  }
  b.sandbox.faults.pop();
  const { result } = await goOn(b);
  assertEquals(result.resumedFrom, there);
  await arrived(b, content);
});

Deno.test("what was left of another version, or of another item, is not gone on with", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  await killedAfter(b, MIB);
  const other = contentOf(6, 9);
  b.sandbox.tenant.addFile("Documents", "General/big.bin", other);
  const { result, stderr } = await goOn(b);
  assertMatch(
    stderr,
    /big\.bin has changed since its download was interrupted; starting from its first byte/,
  );
  assertEquals([result.resumedFrom, result.sentBytes], [null, SIZE]);
  await arrived(b, other);
  await Deno.remove(join(b.folder, "big.bin"));
  await killedAfter(b, MIB);
  b.sandbox.tenant.addFile("Documents", "General/two/big.bin", content);
  const again = await b.run("get", "General/two/big.bin");
  assertEquals(again.code, 0);
  assertMatch(again.stderr, /the unfinished download of General\/big\.bin to the same place is given up/);
  await arrived(b, content);
});

Deno.test("two processes do not get the same file at once", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  const child = b.spawn("get", "General/big.bin");
  await until(() => partialOf(b) !== undefined);
  const { code, stderr } = await b.run("get", "--conflict", "replace", "General/big.bin", "./big.bin");
  assertEquals(code, 8);
  assertMatch(stderr, /another process holds/);
  assertEquals((await child.output()).code, 0);
  await arrived(b, content);
});

Deno.test("a partial file that is not ours is neither touched nor followed", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  await killedAfter(b, MIB);
  const partial = partialOf(b)!;
  const record = journal(b).find((path) => path.endsWith(".json"))!;
  const text = await Deno.readTextFile(record);
  const theirs = await b.file("theirs", "theirs");
  const places: [why: RegExp, make: () => Promise<void>][] = [
    [/it has 5 bytes/, () => Deno.writeTextFile(partial, "short")],
    [/it has \d+ bytes/, () => Deno.writeFile(partial, contentOf(7))],
    [/no record tells/, () => Deno.writeTextFile(partial, "theirs").then(() => Deno.remove(record))],
    [/no record tells/, () => Deno.symlink(theirs, partial).then(() => Deno.remove(record))],
    [/it is a link/, () => Deno.symlink(theirs, partial)],
    [/it is not a regular file/, () => Deno.mkdir(partial)],
    [
      /it has another name/,
      () => Deno.writeFile(partial, content).then(() => Deno.link(partial, `${partial}2`)),
    ],
  ];
  for (const [why, make] of places) {
    await Deno.remove(partial, { recursive: true });
    await Deno.writeTextFile(record, text, { mode: 0o600 });
    await make();
    const before = await Deno.lstat(partial);
    const { code, stderr } = await b.run("get", "--conflict", "replace", "General/big.bin");
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /stands where the download would grow.*remove it: rm .*run the same command again/);
    assertMatch(stderr, why);
    const after = await Deno.lstat(partial);
    assertEquals([after.ino, after.size, after.mtime], [before.ino, before.size, before.mtime]);
  }
  assertEquals(await Deno.readTextFile(theirs), "theirs");
  assert(!names(b.folder).includes("big.bin"));
});

Deno.test("a record that cannot be understood goes aside with what it was of, and the download begins anew", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  await killedAfter(b, MIB);
  const record = journal(b).find((path) => path.endsWith(".json"))!;
  const good = JSON.parse(await Deno.readTextFile(record));
  const bad = ["{ half", "{}", "null", JSON.stringify({ ...good, done: [[5, 3]] })];
  const [first] = bad;
  await Deno.writeTextFile(record, first!);
  const { result, stderr } = await goOn(b);
  assertMatch(
    stderr,
    /^get: the record of an unfinished download could not be understood; it is kept as \S+, what had arrived as \S+; starting from the first byte\n$/,
  );
  assertEquals(result.resumedFrom, null);
  const kept = names(b.folder).find((name) => name.endsWith(".unreadable"))!;
  assert((await Deno.stat(join(b.folder, kept))).size >= MIB, "what had arrived was lost");
  await arrived(b, content, [kept]);
  for (const text of bad) {
    await Deno.writeTextFile(record, text, { mode: 0o600 });
    assertMatch(
      (await goOn(b, "--conflict", "replace")).stderr,
      /could not be understood; it is kept as \S+\n$/,
    );
  }
});

Deno.test("a process that died after its work was done is found finished, and nothing is sent", async () => {
  await using b = await benchWith(content);
  await using line = slowLine(b, SLOW);
  await killedAfter(b, MIB);
  const record = journal(b).find((path) => path.endsWith(".json"))!;
  const entry = JSON.stringify({ ...JSON.parse(await Deno.readTextFile(record)), done: [[0, SIZE]] });
  const partial = partialOf(b)!;
  const whole = join(b.folder, "big.bin");
  const moments = [
    () => Deno.writeFile(partial, content), // before it had its name
    () => Deno.writeFile(whole, content).then(() => Deno.link(whole, partial)), // between link and removal
    () => Deno.writeFile(whole, content), // before the record went
  ];
  for (const make of moments) {
    for (const name of names(b.folder)) await Deno.remove(join(b.folder, name));
    await Deno.writeTextFile(record, entry, { mode: 0o600 });
    await make();
    const before = line.forwardedBytes;
    const { result } = await goOn(b);
    assertEquals([result.result, result.resumedFrom, result.sentBytes], ["downloaded", SIZE, 0]);
    assertEquals(line.forwardedBytes, before);
    await arrived(b, content);
  }
});

Deno.test("--conflict resume takes what another tool left for the beginning, and proves it", async () => {
  for (const connections of ["1", "4"]) {
    await using b = await benchWith(content);
    await b.file("big.bin", content.subarray(0, 2 * MIB + 5));
    const { result } = await goOn(b, "--conflict", "resume", "--connections", connections);
    assertEquals([result.result, result.resumedFrom, result.sentBytes, result.verdict], [
      "downloaded",
      2 * MIB + 5,
      SIZE - 2 * MIB - 5,
      "verified",
    ]);
    await arrived(b, content);
    const again = await goOn(b, "--conflict", "resume");
    assertEquals([again.result.result, again.result.sentBytes, again.result.bytes], ["unchanged", 0, SIZE]);
    await arrived(b, content);
  }
});

Deno.test("--conflict resume gets the file from its first byte when the local one proves to be another", async () => {
  await using b = await benchWith(content);
  for (const theirs of [contentOf(2, 5), contentOf(6, 5)]) {
    await b.file("big.bin", theirs);
    const { result } = await goOn(b, "--conflict", "resume");
    assertEquals([result.result, result.resumedFrom, result.verdict], ["downloaded", null, "verified"]);
    await arrived(b, content);
  }
  await b.file("big.bin", content.subarray(0, MIB));
  b.sandbox.addFault({ service: "graph", path: "root:/General/big.bin", patch: { file: { hashes: null } } });
  const { result } = await goOn(b, "--conflict", "resume");
  assertEquals([result.resumedFrom, result.verdict, result.sentBytes], [null, "unverified", SIZE]);
  const longer = contentOf(7);
  await b.file("big.bin", longer);
  const { code, stderr } = await b.run("get", "--conflict", "resume", "General/big.bin");
  assertEquals(code, 6);
  assertMatch(stderr, /big\.bin is longer than General\/big\.bin/);
  await arrived(b, longer);
});

Deno.test("--conflict resume does not replace a local file that changed meanwhile", async () => {
  await using b = await benchWith(content);
  await using _line = slowLine(b, SLOW);
  await b.file("big.bin", content.subarray(0, MIB));
  const child = b.spawn("get", "--conflict", "resume", "General/big.bin");
  await until(async () => bytesOf(await recorded(b)) >= 2 * MIB);
  await b.file("big.bin", "theirs");
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(
    new TextDecoder().decode(stderr),
    /big\.bin changed during the download; 6291473 of 6291473 bytes/,
  );
  assertEquals(await Deno.readTextFile(join(b.folder, "big.bin")), "theirs");
});

Deno.test("standard output leaves neither a partial file nor a record", async () => {
  await using b = await benchWith(content);
  b.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: MIB });
  const { code, stderr } = await b.runProcess("get", "--connections", "4", "General/big.bin", "-");
  assertEquals(code, 0, stderr);
  assertEquals([names(b.folder), journal(b)], [[], []]);
  assertEquals(asked(b).length, 2, "more than one connection");
});
