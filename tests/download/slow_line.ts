/**
 * A proxy between the scripts and storage that slows down connections.
 *
 * @module
 */
import type { TestEnv } from "../test_env.ts";

/** How the proxy forwards responses of storage. */
export interface LineOptions {
  /** Rate of each connection. @default no limit */
  bytesPerSecond?: number;
}

/** A running proxy. */
export interface SlowLine extends AsyncDisposable {
  /** Bytes forwarded so far. */
  forwardedBytes: number;
  /** Number of connections so far. */
  connections: number;
  /** Of each connection; a test may change it. */
  bytesPerSecond: number;
}

const SLICE_BYTES = 32 * 1024;

/** Routes all downloads of an environment through a slow proxy. */
export function slowLine(env: TestEnv, options: LineOptions): SlowLine {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const storage = new URL(env.sandbox.storageOrigin);
  const open = new Set<Deno.Conn>();
  const works: Promise<void>[] = [];
  const line: SlowLine = {
    forwardedBytes: 0,
    connections: 0,
    bytesPerSecond: options.bytesPerSecond ?? Infinity,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await Promise.all(works);
    },
  };
  const serve = async (client: Deno.Conn) => {
    const server = await Deno.connect({ hostname: storage.hostname, port: Number(storage.port) });
    for (const connection of [client, server]) open.add(connection);
    const up = client.readable.pipeTo(server.writable).catch(() => {}); // either side may break at any time
    await forward(server, client).catch(() => {}); // as above
    for (const connection of [client, server]) {
      close(connection);
      open.delete(connection);
    }
    await up;
  };
  const forward = async (server: Deno.Conn, client: Deno.Conn) => {
    const buffer = new Uint8Array(SLICE_BYTES);
    while (true) {
      const count = await server.read(buffer);
      if (count === null) return;
      const bytes = buffer.subarray(0, count);
      for (let at = 0; at < bytes.length;) at += await client.write(bytes.subarray(at));
      line.forwardedBytes += bytes.length;
      if (line.bytesPerSecond < Infinity) {
        await new Promise((resolve) => setTimeout(resolve, count / line.bytesPerSecond * 1000));
      }
    }
  };
  works.push((async () => {
    for await (const client of listener) {
      line.connections++;
      works.push(serve(client).catch(() => {})); // as above
    }
  })());
  env.sandbox.env.GRAPH_STORAGE_HOSTS = `127.0.0.1:${port}`;
  env.sandbox.addFault({
    name: "slow line",
    service: "graph",
    method: "GET",
    times: "always",
    rewrite: (response) =>
      typeof response.body !== "string" ? response : {
        ...response,
        body: response.body.replaceAll(env.sandbox.storageOrigin, `http://127.0.0.1:${port}`),
      },
  });
  return line;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // the other direction has closed it
  }
}
