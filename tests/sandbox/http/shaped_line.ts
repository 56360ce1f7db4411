/**
 * A TCP relay that behaves like a line to a distant service: it delays, and limits the rate. TLS passes through it
 * unchanged.
 */

/** How a line is shaped; its rates may change meanwhile. */
export interface LineShape {
  /** Round-trip time in milliseconds; opening a connection takes one, as a TCP handshake does. @default 0 */
  latencyMs?: number;
  /** Bytes a second in each direction, shared by all connections. @default no limit */
  bytesPerSecond?: number;
  /** Bytes a second in each direction of one connection. @default no limit */
  connectionBytesPerSecond?: number;
}

/** A running line. */
export interface ShapedLine extends AsyncDisposable {
  /** Where clients connect. */
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Bytes that have come from the port so far. */
  readonly downBytes: number;
}

const SLICE_BYTES = 64 * 1024;
/** A busy line does not lose the time by which timers are late. */
const TIMER_LATENESS_MS = 20;
/** What is on the way at most in one direction of a connection: more than any realistic window. */
const MAX_BYTES_ON_THE_WAY = 32 * 1024 * 1024;

/** Relays connections to a port on 127.0.0.1; `port` 0 listens on a free one. @throws {Deno.errors.AddrInUse} */
export function startShapedLine(toPort: number, shape: LineShape, port = 0): ShapedLine {
  const { latencyMs = 0 } = shape;
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const open = new Set<Deno.TcpConn>();
  const works = new Set<Promise<void>>();
  const newShared = () => new Rate(() => shape.bytesPerSecond);
  const shared = { up: newShared(), down: newShared() };
  let connections = 0;
  let downBytes = 0;
  let closed = false;

  const relay = async (client: Deno.TcpConn) => {
    open.add(client);
    client.setNoDelay(true);
    await sleep(latencyMs);
    if (closed) return;
    const server = await Deno.connect({ hostname: "127.0.0.1", port: toPort });
    open.add(server);
    server.setNoDelay(true);
    const own = () => new Rate(() => shape.connectionBytesPerSecond);
    await Promise.all([
      forward(client, server, [shared.up, own()], latencyMs / 2),
      forward(server, client, [shared.down, own()], latencyMs / 2, (bytes) => downBytes += bytes),
    ]);
    for (const connection of [client, server]) {
      close(connection);
      open.delete(connection);
    }
  };
  const track = (work: Promise<void>) => {
    // A side that breaks ends its connection only.
    const watched: Promise<void> = work.catch(() => {}).finally(() => works.delete(watched));
    works.add(watched);
  };
  track((async () => {
    for await (const client of listener) {
      connections++;
      track(relay(client));
    }
  })());
  return {
    port: listener.addr.port,
    get connections() {
      return connections;
    },
    get downBytes() {
      return downBytes;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      listener.close();
      for (const connection of open) close(connection);
      while (works.size > 0) await Promise.all(works);
    },
  };
}

/** Says when bytes have left a line of a certain rate. */
class Rate {
  readonly #bytesPerSecond: () => number | undefined;
  #freeAt = 0;

  constructor(bytesPerSecond: () => number | undefined) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** @returns when bytes that arrive now have passed, on the clock of `performance.now()` */
  pass(bytes: number): number {
    const now = performance.now();
    const isIdle = now - this.#freeAt > TIMER_LATENESS_MS;
    this.#freeAt = (isIdle ? now : this.#freeAt) + bytes / (this.#bytesPerSecond() ?? Infinity) * 1000;
    return this.#freeAt;
  }
}

/** Forwards one direction until its source ends; either side may break at any time, which closes both. */
async function forward(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  rates: readonly Rate[],
  delayMs: number,
  onForwarded: (bytes: number) => void = () => {},
): Promise<void> {
  const queue: { bytes: Uint8Array; at: number }[] = [];
  let queuedBytes = 0;
  let isOver = false;
  let wake = () => {};
  const changed = () => new Promise<void>((resolve) => wake = resolve);

  const read = async () => {
    while (!isOver) {
      const buffer = new Uint8Array(SLICE_BYTES);
      const count = await from.read(buffer).catch(() => null);
      if (count === null) break;
      const leaves = Math.max(...rates.map((rate) => rate.pass(count)));
      await sleep(leaves - performance.now()); // the sender feels the rate
      queue.push({ bytes: buffer.subarray(0, count), at: performance.now() + delayMs });
      queuedBytes += count;
      wake();
      while (queuedBytes > MAX_BYTES_ON_THE_WAY && !isOver) await changed();
    }
    isOver = true;
    wake();
  };
  const write = async () => {
    for (;;) {
      const next = queue.shift();
      if (next === undefined) {
        if (isOver) return;
        await changed();
        continue;
      }
      await sleep(next.at - performance.now());
      for (let at = 0; at < next.bytes.length;) at += await to.write(next.bytes.subarray(at));
      onForwarded(next.bytes.length);
      queuedBytes -= next.bytes.length;
      wake();
    }
  };
  const reading = read();
  try {
    await write();
    await to.closeWrite();
  } catch {
    for (const connection of [from, to]) close(connection);
  }
  isOver = true;
  wake();
  await reading;
}

function sleep(ms: number): Promise<void> | undefined {
  return ms < 1 ? undefined : new Promise((resolve) => setTimeout(resolve, ms));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // the other direction has closed it
  }
}
