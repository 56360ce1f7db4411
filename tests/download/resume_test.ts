import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  arrived,
  asked,
  bytesOf,
  contentOf,
  envWith,
  journal,
  killedAfter,
  names,
  partialOf,
  recorded,
  until,
} from "./download_env.ts";
import { jsonLines, type TestEnv } from "../test_env.ts";
import { throughLine } from "../lined_env.ts";

const MIB = 1024 * 1024;
const content = contentOf(6);
const SIZE = content.length;
const SLOW = { connectionBytesPerSecond: 2 * MIB };

/** Downloads without a slow line and returns the result. */
async function goOn(env: TestEnv, ...args: string[]) {
  const { code, stdout, stderr } = await env.run("get", "--json", ...args, "General/big.bin");
  assertEquals(code, 0, stderr);
  return { result: jsonLines(stdout)[0]!, stderr };
}

Deno.test("get resumes from the recorded bytes after a kill, with every conflict behavior", async () => {
  for (const args of [[], ["--conflict", "replace"], ["--conflict", "skip"], ["--conflict", "resume"]]) {
    await using env = await envWith(content);
    await using line = throughLine(env, { ...SLOW });
    await killedAfter(env, MIB);
    line.shape.connectionBytesPerSecond = Infinity;
    const there = bytesOf(await recorded(env));
    const before = env.sandbox.requests.length;
    const { result, stderr } = await goOn(env, ...args);
    assertEquals([result.resumedFrom, result.sentBytes, stderr], [there, SIZE - there, ""]);
    assertEquals(asked(env, before), [`bytes=${there}-`]);
    await arrived(env, content);
  }
});

Deno.test("get fetches only the missing ranges of an unfinished parallel download", async () => {
  for (const args of [["--connections", "1"], ["--connections", "3"], []]) {
    await using env = await envWith(content);
    await using line = throughLine(env, { connectionBytesPerSecond: MIB });
    await killedAfter(env, 2 * MIB, ["--connections", "3"]);
    line.shape.connectionBytesPerSecond = Infinity;
    const ranges = await recorded(env);
    assert(ranges.length > 1, "the ranges were not fetched concurrently");
    const { result } = await goOn(env, ...args);
    assertEquals([result.resumedFrom, result.sentBytes], [bytesOf(ranges), SIZE - bytesOf(ranges)]);
    await arrived(env, content);
  }
});

Deno.test("get keeps partial file and journal entry private, without download URLs", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  await killedAfter(env, MIB);
  const record = journal(env).find((path) => path.endsWith(".json"))!;
  assertMatch(partialOf(env)!, /\/\.[0-9a-f]{16}\.partial$/);
  if (Deno.build.os !== "windows") {
    for (const path of [record, partialOf(env)!]) {
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600, path);
    }
  }
  const text = await Deno.readTextFile(record);
  assert(!/https?:|tempauth/.test(text), text);
});

Deno.test("get resumes a file with the longest possible name", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  const long = "n".repeat(255);
  const child = env.spawn("get", "General/big.bin", long);
  await until(async () => bytesOf(await recorded(env)) >= MIB);
  child.kill("SIGKILL");
  await child.output();
  const { code, stdout } = await env.run("get", "--json", "General/big.bin", long);
  assertEquals(code, 0);
  assert(jsonLines(stdout)[0]!.resumedFrom as number >= MIB);
  assertEquals(await Deno.readFile(join(env.folder, long)), content);
});

Deno.test("get keeps the received bytes and reports their number after Ctrl-C or an outage", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  if (Deno.build.os !== "windows") {
    const stderr = await killedAfter(env, MIB, [], "SIGINT");
    const there = bytesOf(await recorded(env));
    const share = Math.floor(there / SIZE * 100);
    assertEquals(
      stderr,
      `get: General/big.bin: interrupted; ${there} of ${SIZE} bytes (${share} %) are there; run the same command again to resume (interrupted)\n`,
    );
  } else await killedAfter(env, MIB);
  const there = bytesOf(await recorded(env));
  env.sandbox.addFault({
    service: "storage",
    times: "always",
    status: 503,
    headers: { "retry-after": "0" },
  });
  for (const connections of ["1", "4"]) {
    const { code, stderr } = await env.run("get", "--connections", connections, "General/big.bin");
    assertEquals(code, 8);
    assertMatch(
      stderr,
      new RegExp(`${there} of ${SIZE} bytes .* are there; run the same command again to resume`),
    );
  }
  env.sandbox.faults.pop();
  const { result } = await goOn(env);
  assertEquals(result.resumedFrom, there);
  await arrived(env, content);
});

Deno.test("get does not resume another version or another item", async () => {
  await using env = await envWith(content);
  await using line = throughLine(env, { ...SLOW });
  await killedAfter(env, MIB);
  line.shape.connectionBytesPerSecond = Infinity;
  const other = contentOf(6, 9);
  env.sandbox.tenant.addFile("Documents", "General/big.bin", other);
  const { result, stderr } = await goOn(env);
  assertMatch(
    stderr,
    /the unfinished download of General\/big\.bin is of another version or item; starting from the first byte/,
  );
  assertEquals([result.resumedFrom, result.sentBytes], [null, SIZE]);
  await arrived(env, other);
  await Deno.remove(join(env.folder, "big.bin"));
  line.shape.connectionBytesPerSecond = SLOW.connectionBytesPerSecond;
  await killedAfter(env, MIB);
  line.shape.connectionBytesPerSecond = Infinity;
  env.sandbox.tenant.addFile("Documents", "General/two/big.bin", content);
  const again = await env.run("get", "General/two/big.bin");
  assertEquals(again.code, 0);
  assertMatch(again.stderr, /General\/big\.bin is of another version or item/);
  await arrived(env, content);
});

Deno.test("get rejects a concurrent download to the same file", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  const child = env.spawn("get", "General/big.bin");
  await until(() => partialOf(env) !== undefined);
  const { code, stderr } = await env.run("get", "--conflict", "replace", "General/big.bin", "./big.bin");
  assertEquals(code, 8);
  assertMatch(stderr, /another process holds/);
  assertEquals((await child.output()).code, 0);
  await arrived(env, content);
});

Deno.test("get neither changes nor follows a foreign partial file", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  await killedAfter(env, MIB);
  const partial = partialOf(env)!;
  const record = journal(env).find((path) => path.endsWith(".json"))!;
  const text = await Deno.readTextFile(record);
  const theirs = await env.file("theirs", "theirs");
  const places: [why: RegExp, make: () => Promise<void>][] = [
    [/it has been truncated/, () => Deno.writeTextFile(partial, "short")],
    [/it has no journal entry/, () => Deno.writeTextFile(partial, "theirs").then(() => Deno.remove(record))],
    [/it has no journal entry/, () => Deno.symlink(theirs, partial).then(() => Deno.remove(record))],
    [/it is not a file of its own/, () => Deno.symlink(theirs, partial)],
    [/it is not a file of its own/, () => Deno.mkdir(partial)],
    [
      /it is not a file of its own/,
      () => Deno.writeFile(partial, content).then(() => Deno.link(partial, `${partial}2`)),
    ],
  ];
  for (const [why, make] of places) {
    await Deno.remove(partial, { recursive: true });
    await Deno.writeTextFile(record, text, { mode: 0o600 });
    await make();
    const before = await Deno.lstat(partial);
    const { code, stderr } = await env.run("get", "--conflict", "replace", "General/big.bin");
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /is in the way of the download.*remove it: rm .*run the same command again/);
    assertMatch(stderr, why);
    const after = await Deno.lstat(partial);
    assertEquals([after.ino, after.size, after.mtime], [before.ino, before.size, before.mtime]);
  }
  assertEquals(await Deno.readTextFile(theirs), "theirs");
  assert(!names(env.folder).includes("big.bin"));
});

Deno.test("get moves an unreadable journal entry aside and does not touch its partial file", async () => {
  await using env = await envWith(content);
  await using line = throughLine(env, { ...SLOW });
  await killedAfter(env, MIB);
  line.shape.connectionBytesPerSecond = Infinity;
  const record = journal(env).find((path) => path.endsWith(".json"))!;
  const good = JSON.parse(await Deno.readTextFile(record));
  for (const text of ["{ half", "{}", "null", JSON.stringify({ ...good, done: [[5, 3]] })]) {
    await Deno.writeTextFile(record, text, { mode: 0o600 });
    const { code, stderr } = await env.run("get", "General/big.bin");
    assertEquals(code, 6);
    assertMatch(stderr, /is not readable; it is kept as \S+\n.*it has no journal entry; .*remove it: rm/);
  }
  assert((await Deno.stat(partialOf(env)!)).size >= MIB, "received bytes were lost");
});

Deno.test("get recognizes a download that was complete before a kill", async () => {
  await using env = await envWith(content);
  await using line = throughLine(env, { ...SLOW });
  await killedAfter(env, MIB);
  line.shape.connectionBytesPerSecond = Infinity;
  const record = journal(env).find((path) => path.endsWith(".json"))!;
  const entry = JSON.stringify({ ...JSON.parse(await Deno.readTextFile(record)), done: [[0, SIZE]] });
  const partial = partialOf(env)!;
  const whole = join(env.folder, "big.bin");
  const moments = [
    () => Deno.writeFile(partial, content), // killed before the rename
    () => Deno.writeFile(whole, content).then(() => Deno.link(whole, partial)), // killed between link and removal
    () => Deno.writeFile(whole, content), // killed before the journal entry was removed
  ];
  for (const make of moments) {
    for (const name of names(env.folder)) await Deno.remove(join(env.folder, name));
    await Deno.writeTextFile(record, entry, { mode: 0o600 });
    await make();
    const before = env.sandbox.requests.length;
    const { result } = await goOn(env);
    assertEquals([result.result, result.resumedFrom, result.sentBytes], ["downloaded", SIZE, 0]);
    assertEquals(asked(env, before), []);
    await arrived(env, content);
  }
});

Deno.test("get --conflict resume continues a prefix from another tool and verifies it", async () => {
  for (const connections of ["1", "4"]) {
    await using env = await envWith(content);
    await env.file("big.bin", content.subarray(0, 2 * MIB + 5));
    const { result } = await goOn(env, "--conflict", "resume", "--connections", connections);
    assertEquals([result.result, result.resumedFrom, result.sentBytes, result.verdict], [
      "downloaded",
      2 * MIB + 5,
      SIZE - 2 * MIB - 5,
      "verified",
    ]);
    await arrived(env, content);
    const again = await goOn(env, "--conflict", "resume");
    assertEquals([again.result.result, again.result.sentBytes, again.result.bytes], ["unchanged", 0, SIZE]);
    await arrived(env, content);
  }
});

Deno.test("get --conflict resume starts over when the local file is not a prefix", async () => {
  await using env = await envWith(content);
  for (const theirs of [contentOf(2, 5), contentOf(6, 5)]) {
    await env.file("big.bin", theirs);
    const { result } = await goOn(env, "--conflict", "resume");
    assertEquals([result.result, result.resumedFrom, result.verdict], ["downloaded", null, "verified"]);
    await arrived(env, content);
  }
  await env.file("big.bin", content.subarray(0, MIB));
  env.sandbox.addFault({ service: "graph", times: "always", patch: { file: { hashes: null } } });
  const { result } = await goOn(env, "--conflict", "resume");
  env.sandbox.clearFaults();
  assertEquals([result.resumedFrom, result.verdict, result.sentBytes], [null, "unverified", SIZE]);
  const longer = contentOf(7);
  await env.file("big.bin", longer);
  const { code, stderr } = await env.run("get", "--conflict", "resume", "General/big.bin");
  assertEquals(code, 6);
  assertMatch(stderr, /big\.bin is longer than General\/big\.bin/);
  await arrived(env, longer);
});

Deno.test("get --conflict resume does not replace a local file that changed meanwhile", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { ...SLOW });
  await env.file("big.bin", content.subarray(0, MIB));
  const child = env.spawn("get", "--conflict", "resume", "General/big.bin");
  await until(async () => bytesOf(await recorded(env)) >= 2 * MIB);
  await env.file("big.bin", "theirs");
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(
    new TextDecoder().decode(stderr),
    /big\.bin changed during the download; 6291473 of 6291473 bytes/,
  );
  assertEquals(await Deno.readTextFile(join(env.folder, "big.bin")), "theirs");
});

Deno.test("get to standard output leaves neither partial file nor journal entry", async () => {
  await using env = await envWith(content);
  env.sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: MIB });
  const { code, stderr } = await env.run("get", "--connections", "4", "General/big.bin", "-");
  assertEquals(code, 0, stderr);
  assertEquals([names(env.folder), journal(env)], [[], []]);
  assertEquals(asked(env).length, 2, "more than one connection");
});
