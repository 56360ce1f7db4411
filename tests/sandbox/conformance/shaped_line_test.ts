import { assert, assertEquals } from "../../assert.ts";
import { type LineShape, startShapedLine } from "../http/shaped_line.ts";

async function echoThrough(shape: LineShape, bytes: Uint8Array): Promise<{ got: Uint8Array; ms: number }> {
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await server.accept();
    await connection.readable.pipeTo(connection.writable, { preventClose: false }).catch(() => {});
  })().catch(() => {}); // the connection is closed by the pipe
  await using line = startShapedLine(server.addr.port, shape);
  const started = performance.now();
  using client = await Deno.connect({ hostname: "127.0.0.1", port: line.port });
  const writing = (async () => {
    for (let at = 0; at < bytes.length;) at += await client.write(bytes.subarray(at));
    await client.closeWrite();
  })();
  const parts: number[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await client.read(buffer)) !== null;) parts.push(...buffer.subarray(0, count));
  await writing;
  const ms = performance.now() - started;
  await serving;
  server.close();
  assertEquals(line.connections, 1);
  return { got: Uint8Array.from(parts), ms };
}

Deno.test("a shaped line delivers all bytes in order, and the end", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const { got } = await echoThrough({}, bytes);
  assertEquals(got, bytes);
});

Deno.test("a shaped line takes a round trip to connect and another to answer", async () => {
  const { ms } = await echoThrough({ latencyMs: 40 }, new Uint8Array(10));
  assert(ms >= 75, `${ms} ms`);
});

Deno.test("a shaped line limits the rate of the line and of a connection", async () => {
  const bytes = new Uint8Array(60_000);
  for (const shape of [{ bytesPerSecond: 300_000 }, { connectionBytesPerSecond: 300_000 }]) {
    const { ms } = await echoThrough(shape, bytes);
    assert(ms >= 190, `${ms} ms`);
  }
});
