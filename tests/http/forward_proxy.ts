/**
 * A forward proxy as companies run them: it tunnels (`CONNECT`) for those who know the password, to hosts that it knows.
 *
 * @module
 */

/** Options of a {@linkcode ForwardProxy}. */
export interface ForwardProxyOptions {
  user: string;
  password: string;
  /** Ports on 127.0.0.1 that `host:port` leads to; other hosts are refused. */
  routes: Readonly<Record<string, number>>;
}

/** The longest head of a `CONNECT` request, in bytes. */
const MAX_HEAD_BYTES = 8192;

/** A running proxy. */
export class ForwardProxy implements AsyncDisposable {
  /** The proxy with user name and password, as `HTTPS_PROXY` takes it. */
  readonly url: string;
  /** Host and port without credentials. */
  readonly host: string;
  /** The password, plain and encoded, and the header that holds it. */
  readonly secrets: readonly string[];
  /** Each request with its status, as in `200 graph.microsoft.com:443`. */
  readonly requests: string[] = [];
  /** How many tunnels the password opens before it is refused. */
  tunnelsLeft = Infinity;
  readonly #options: ForwardProxyOptions;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #served: Promise<void>;

  constructor(options: ForwardProxyOptions) {
    this.#options = options;
    this.host = `127.0.0.1:${this.#listener.addr.port}`;
    const [user, password] = [options.user, options.password].map(encodeURIComponent);
    this.url = `http://${user}:${password}@${this.host}`;
    this.secrets = [options.password, password!, btoa(`${options.user}:${options.password}`)];
    this.#served = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#served;
  }

  async #accept(): Promise<void> {
    const work: Promise<void>[] = [];
    for await (const connection of this.#listener) work.push(this.#serve(connection));
    await Promise.all(work);
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    this.#connections.add(client);
    try {
      const head = await readHead(client);
      if (head === undefined) return;
      const { status, port } = this.#decide(head);
      this.requests.push(`${status.slice(0, 3)} ${/^CONNECT (\S+)/.exec(head)?.[1]}`);
      if (port === undefined) return await write(client, `${status}\r\nContent-Length: 0`);
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#connections.add(server);
      for (const connection of [client, server]) connection.setNoDelay(true);
      await write(client, status);
      await Promise.all([copy(client, server), copy(server, client)]);
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      close(client);
    }
  }

  #decide(head: string): { status: string; port?: number } {
    const { user, password, routes } = this.#options;
    const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1];
    if (target === undefined) return { status: "405 Method Not Allowed" };
    const [, credentials] = /\r\nproxy-authorization: basic (\S+)\r\n/i.exec(head) ?? [];
    if (credentials !== btoa(`${user}:${password}`) || --this.tunnelsLeft < 0) {
      return { status: "407 Proxy Authentication Required" };
    }
    const port = routes[target];
    return port === undefined ? { status: "403 Forbidden" } : { status: "200 OK", port };
  }
}

/** The head of a request; nothing follows it before the tunnel is open. */
async function readHead(client: Deno.TcpConn): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  let head = "";
  while (!head.endsWith("\r\n\r\n") && head.length < MAX_HEAD_BYTES) {
    const length = await client.read(buffer);
    if (length === null) return undefined;
    head += new TextDecoder().decode(buffer.subarray(0, length));
  }
  return head;
}

async function write(client: Deno.TcpConn, text: string): Promise<void> {
  await client.write(new TextEncoder().encode(`HTTP/1.1 ${text}\r\n\r\n`));
}

/** Copies until the end of one side, then closes the other. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  try {
    for (let length; (length = await from.read(buffer)) !== null;) {
      for (let written = 0; written < length;) written += await to.write(buffer.subarray(written, length));
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    close(to);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Whether an error only says that a connection has ended. */
function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted, NotConnected } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted, NotConnected].some((kind) =>
    error instanceof kind
  );
}
