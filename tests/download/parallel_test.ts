import { assert, assertEquals, assertMatch } from "../assert.ts";
import { arrived, asked, bytesOf, contentOf, envWith, names, until } from "./download_env.ts";
import { jsonLines, type TestEnv } from "../test_env.ts";
import { throughLine } from "../lined_env.ts";

const MIB = 1024 * 1024;
const content = contentOf(12);
const SIZE = content.length;
const storage = { service: "storage" as const, path: "download.aspx" };

async function get(env: TestEnv, ...args: string[]) {
  const { code, stdout, stderr } = await env.run("get", "--json", ...args, "General/big.bin");
  assertEquals(code, 0, stderr);
  return { result: jsonLines(stdout)[0]!, stderr };
}

/** Asserts that hardly anything has arrived twice: only what was on its way when another connection took it over. */
function assertFewTwice({ sentBytes }: Record<string, unknown>): void {
  assert(SIZE <= Number(sentBytes) && Number(sentBytes) < SIZE + 2 * MIB, `${sentBytes} of ${SIZE} bytes`);
}

function parse(range: string | undefined): [start: number, end: number] {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "")!;
  return [Number(start), Number(last) + 1];
}

Deno.test("get fails when Retry-After exceeds --max-wait, and reports the wait", async () => {
  await using env = await envWith(content);
  env.sandbox.addFault({ ...storage, status: 429, headers: { "retry-after": "3600" }, times: "always" });
  const { code, stderr } = await env.run("get", "--connections", "2", "General/big.bin");
  assertEquals(code, 8);
  assertMatch(stderr, /the service is throttling; wait (59:59|1:00:00), as the service asks, then run/);
  assertEquals(names(env.folder), []);
});

Deno.test("get --connections fetches disjoint ranges that make up the whole", async () => {
  await using env = await envWith(content);
  await using line = throughLine(env, { connectionBytesPerSecond: 8 * MIB });
  const { result } = await get(env, "--connections", "4");
  assertEquals([result.resumedFrom, result.verdict], [null, "verified"]);
  const ranges = asked(env).slice(0, 4).map(parse); // a connection that is ready early takes a part of another's
  const sorted = ranges.toSorted(([a], [z]) => a - z);
  assertEquals(sorted.map(([start]) => start), [0, ...sorted.slice(0, -1).map(([, end]) => end)]);
  assertEquals(bytesOf(ranges), SIZE);
  assert(line.storage.connections >= 4, `${line.storage.connections} connections`);
  await arrived(env, content);
});

Deno.test("get tries several connections for a large file; --connections accepts 1 to 16", async () => {
  await using env = await envWith(content);
  await get(env);
  assertEquals(asked(env), [undefined]);
  for (const wrong of ["0", "17", "-1", "1.5", "many", "1e1", " 4"]) {
    const { code, stderr } = await env.run("get", `--connections=${wrong}`, "General/big.bin", "other.bin");
    assertEquals(code, 2, wrong);
    assertMatch(stderr, /not a whole number from 1 to 16/);
  }
  env.sandbox.tenant.addFile("Documents", "General/larger.bin", contentOf(17));
  const before = env.sandbox.requests.length;
  assertEquals((await env.run("get", "General/larger.bin")).code, 0);
  const [first, second] = asked(env, before).map(parse);
  assertEquals([first![0], first![1]], [0, second![0]]);
});

Deno.test("get resumes broken connections; an expired download URL is refreshed once for all", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { connectionBytesPerSecond: 8 * MIB });
  env.sandbox.addFault({ ...storage, times: 2, truncateBodyTo: 700_000 });
  assertFewTwice((await get(env, "--connections", "4")).result);
  await arrived(env, content);
  await Deno.remove(`${env.folder}/big.bin`);
  const requestsBefore = env.sandbox.requests.filter(({ service }) => service === "graph").length;
  env.sandbox.addFault({ ...storage, nth: 5, times: 4, status: 401, body: "" });
  assertFewTwice((await get(env, "--connections", "4")).result);
  const graphRequests = env.sandbox.requests.filter(({ service }) => service === "graph").slice(
    requestsBefore,
  );
  const refreshed = graphRequests.filter(({ path }) => path.includes("/items/")).length;
  assert(refreshed < 4, `${refreshed} for four refusals`);
  await arrived(env, content);
});

Deno.test("get obeys Retry-After on all connections", async () => {
  await using env = await envWith(content);
  env.sandbox.addFault({ ...storage, times: 2, status: 429, headers: { "retry-after": "2" } });
  const { result } = await get(env, "--connections", "2");
  assertFewTwice(result);
  const records = env.sandbox.requests.filter(({ service }) => service === "storage");
  const times = records.map(({ at }) => Date.parse(at));
  const refused = records.findIndex(({ status }) => status === 429);
  const next = times.findIndex((at) => at > times[refused]! + 300);
  assert(times[next]! - times[refused]! >= 1_900, `${times.map((at) => at - times[0]!)}`);
  await arrived(env, content);
});

Deno.test("get requests the whole content once where ranges are not supported", async () => {
  type Bent = { status?: number; headers?: Record<string, string>; hidden?: string[] };
  const wholes: [name: string, bent: Bent][] = [
    ["200 in place of 206", { hidden: ["range"] }],
    ["416", { status: 416 }],
    ["another total", { headers: { "content-range": `bytes 0-1048575/${SIZE + 5}` } }],
    ["another range than asked", { headers: { "content-range": `bytes 5-1048580/${SIZE}` } }],
    ["no range at all", { headers: { "content-range": "" } }],
  ];
  for (const [name, { status, headers, hidden }] of wholes) {
    await using env = await envWith(content);
    env.sandbox.addFault({
      ...storage,
      times: "always",
      hideHeaders: hidden ?? [],
      rewrite: (response, request) =>
        request.headers.range === undefined ? response : {
          ...response,
          status: status ?? response.status,
          headers: { ...response.headers, ...headers },
        },
    });
    const { result } = await get(env, "--connections", "3");
    assertEquals([result.resumedFrom, result.verdict], [null, "verified"], name);
    const ranges = asked(env);
    assertEquals([ranges.at(-1), ranges.filter((range) => range === undefined).length], [undefined, 1], name);
    assert(ranges.length <= 13, `${name}: ${ranges.length} requests`);
    await arrived(env, content);
  }
});

Deno.test("get tolerates a body longer or shorter than its range", async () => {
  for (const more of [300_000, -300_000]) {
    await using env = await envWith(content);
    env.sandbox.addFault({
      ...storage,
      times: "always",
      rewrite: (response, request) => {
        const [start, end] = parse(request.headers.range);
        if (typeof response.body === "string" || end - start < 400_000) return response;
        const length = Math.min(response.body.length + more, SIZE - start);
        const said = more > 0 ? end : start + length;
        return {
          ...response,
          headers: { ...response.headers, "content-range": `bytes ${start}-${said - 1}/${SIZE}` },
          body: { ...response.body, length },
        };
      },
    });
    const { result } = await get(env, "--connections", "3");
    assertEquals(result.verdict, "verified");
    await arrived(env, content);
  }
});

Deno.test("get ends all connections when a fresh download URL names a foreign host, and keeps the received bytes", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { connectionBytesPerSecond: 4 * MIB });
  env.sandbox.faults.unshift({
    service: "graph",
    path: "/items/",
    times: "always",
    patch: { "@microsoft.graph.downloadUrl": `${env.sandbox.loginOrigin}/x` },
  });
  env.sandbox.addFault({ ...storage, truncateBodyTo: 700_000 });
  env.sandbox.addFault({ ...storage, nth: 5, times: "always", status: 401, body: "" });
  const { code, stderr } = await env.run("get", "--connections", "4", "General/big.bin");
  assertEquals(code, 5);
  assertMatch(stderr, /nothing was sent there/);
  assertMatch(stderr, /[1-9]\d* of 12582929 bytes/);
  assertEquals(env.sandbox.requests.filter(({ path }) => path === "/x"), []);
  assertEquals(names(env.folder).length, 1);
  env.sandbox.faults.splice(0, 1);
  env.sandbox.faults.pop();
  assert((await get(env)).result.resumedFrom as number > 0);
  await arrived(env, content);
});

Deno.test("get --connections starts over when the file changes during the download", async () => {
  for (const other of [contentOf(12, 7), contentOf(9, 7), contentOf(20, 7)]) {
    await using env = await envWith(content);
    await using _line = throughLine(env, { connectionBytesPerSecond: 8 * MIB });
    // The fourth range is served from the new version.
    env.sandbox.addFault({ ...storage, nth: 4, delayMs: 300 });
    const child = env.spawn("get", "--json", "--connections", "4", "General/big.bin");
    await until(() => asked(env).length >= 4);
    env.sandbox.tenant.addFile("Documents", "General/big.bin", other);
    const { code, stdout, stderr } = await child.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(jsonLines(new TextDecoder().decode(stdout))[0]!.verdict, "verified");
    await arrived(env, other);
  }
});

Deno.test("get detects a file change between ranges without a hash", async () => {
  await using env = await envWith(content);
  env.sandbox.addFault({ service: "graph", times: "always", patch: { file: { hashes: null } } });
  const { settle, held } = holding();
  env.sandbox.addFault({
    ...storage,
    nth: 4,
    rewrite: async (response) => {
      await held;
      return response;
    },
  });
  const child = env.spawn("get", "--json", "--connections", "4", "General/big.bin");
  await until(() => asked(env).length >= 4);
  const other = contentOf(12, 7);
  env.sandbox.tenant.addFile("Documents", "General/big.bin", other);
  settle();
  const { code, stdout } = await child.output();
  assertEquals([code, jsonLines(new TextDecoder().decode(stdout))[0]!.verdict], [0, "unverified"]);
  await arrived(env, other);
});

function holding(): { settle: () => void; held: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { settle: resolve, held: promise };
}

Deno.test("get downloads damaged ranges once more, and keeps permanently damaged content under another name", async () => {
  await using env = await envWith(content);
  env.sandbox.addFault({
    ...storage,
    times: "always",
    rewrite: (response) =>
      typeof response.body === "string" || response.body.start === undefined
        ? response
        : { ...response, body: { ...response.body, start: 0 } },
  });
  const { code, stderr } = await env.run("get", "--connections", "3", "General/big.bin");
  assertEquals(code, 7);
  assertMatch(stderr, /once more from the first byte/);
  assertEquals(names(env.folder).map((name) => name.replace(/[0-9a-f]{8}/, "x")), [".x.damaged"]);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
});
