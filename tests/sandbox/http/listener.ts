/**
 * An HTTP listener on 127.0.0.1, directly on TCP or TLS: the services need the raw request target (Graph's colons are
 * split before decoding), whether a body had a length or was chunked, and connections that can be broken at any
 * point. No server library offers these on all Deno versions.
 */

import type { Outcome } from "../request_handler.ts";
import { ConnectionLost, jsonResponse, RequestBody, type Service, type ServiceRequest } from "../messages.ts";
import { ByteReader, LineTooLong } from "./byte_reader.ts";
import { bodySource, MalformedRequest, readHead, type RequestHead } from "./request.ts";
import { sendResponse, writeAll } from "./response.ts";

/** Certificate and key of a TLS listener, as PEM texts. */
export interface TlsFiles {
  /** The certificate, perhaps with those that lead to its authority. */
  cert: string;
  /** The private key. */
  key: string;
}

/** Handles one request, or says to drop the connection. */
export type Respond = (request: ServiceRequest) => Promise<Outcome>;

export class Listener {
  readonly #serviceAt: (host: string) => Service | undefined;
  readonly #respond: Respond;
  readonly #listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn, Deno.NetAddr>;
  readonly #connections = new Set<Deno.Conn>();
  #count = 0;
  readonly #work = new Set<Promise<void>>();

  /**
   * Starts listening; `port` 0 picks a free one.
   *
   * @param serviceAt The service that a Host header means
   * @throws {Deno.errors.AddrInUse}
   */
  constructor(
    serviceAt: (host: string) => Service | undefined,
    port: number,
    respond: Respond,
    tls?: TlsFiles,
  ) {
    this.#serviceAt = serviceAt;
    this.#respond = respond;
    const address = { hostname: "127.0.0.1", port };
    this.#listener = tls
      ? Deno.listenTls({ ...address, cert: tls.cert, key: tls.key })
      : Deno.listen(address);
    this.#track(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Stops listening, closes all connections and waits for the requests in progress. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      this.#track(this.#serve(connection));
    }
  }

  #track(work: Promise<void>): void {
    const watched = work
      .catch((error) => report("a connection failed", error))
      .finally(() => this.#work.delete(watched));
    this.#work.add(watched);
  }

  /** Serves requests until either side closes the connection. */
  async #serve(connection: Deno.TcpConn | Deno.TlsConn): Promise<void> {
    const reader = new ByteReader(connection);
    const number = ++this.#count;
    try {
      if ("setNoDelay" in connection) connection.setNoDelay(true);
      for (let reused = false; await this.#serveOne(connection, reader, { number, reused });) reused = true;
    } catch (error) {
      if (error instanceof MalformedRequest || error instanceof LineTooLong) {
        await sendError(connection, 400, `Bad Request: ${error.message}`);
      } else if (!isBroken(error)) throw error;
    } finally {
      this.#close(connection);
    }
  }

  /** @returns whether the connection can take another request */
  async #serveOne(connection: Deno.Conn, reader: ByteReader, on: ConnectionInfo): Promise<boolean> {
    const head = await readHead(reader);
    const source = bodySource(reader, head, () => writeAll(connection, CONTINUE));
    const host = head.headers["host"] ?? "";
    const service = this.#serviceAt(host);
    if (service === undefined) {
      await sendError(connection, 421, `no service of the sandbox has the name "${host}"`);
      return false;
    }
    const outcome = await this.#outcome(toServiceRequest(service, head, new RequestBody(source), on));
    if (outcome === "drop") return false;
    const { response, truncateTo } = outcome;
    const keepAlive = head.keepAlive && response.headers["connection"] !== "close";
    const complete = await sendResponse(connection, response, {
      headOnly: head.method === "HEAD",
      keepAlive,
      truncateTo,
    });
    return complete && keepAlive;
  }

  async #outcome(request: ServiceRequest): Promise<Outcome> {
    try {
      return await this.#respond(request);
    } catch (error) {
      report(`${request.method} ${request.path} failed`, error);
      return {
        response: jsonResponse(500, { error: `the sandbox itself failed: ${error}` }),
        truncateTo: undefined,
      };
    }
  }

  #close(connection: Deno.Conn): void {
    if (!this.#connections.delete(connection)) return;
    try {
      connection.close();
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
  }
}

/** Reports bugs of the sandbox, so that they are not mistaken for faults of the service. */
function report(what: string, error: unknown): void {
  // deno-lint-ignore no-console
  console.error(`sandbox: ${what}:`, error);
}

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

interface ConnectionInfo {
  readonly number: number;
  readonly reused: boolean;
}

function toServiceRequest(
  service: Service,
  head: RequestHead,
  body: RequestBody,
  on: ConnectionInfo,
): ServiceRequest {
  const { method, target, headers } = head;
  const mark = target.indexOf("?");
  return {
    service,
    method,
    target,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers,
    body,
    connection: on.number,
    reused: on.reused,
  };
}

async function sendError(connection: Deno.Conn, status: number, error: string): Promise<void> {
  const options = { headOnly: false, keepAlive: false, truncateTo: undefined };
  try {
    await sendResponse(connection, jsonResponse(status, { error }), options);
  } catch (failure) {
    if (!isBroken(failure)) throw failure;
  }
}

/** Whether an error only means that the connection is closed. */
function isBroken(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, NotConnected } =
    Deno.errors;
  const kinds = [
    ConnectionLost,
    BadResource,
    BrokenPipe,
    ConnectionAborted,
    ConnectionReset,
    Interrupted,
    NotConnected,
  ];
  return kinds.some((kind) => error instanceof kind);
}
