/** Sends a response, complete or truncated. */

import type { FileSpan, ServiceResponse } from "../messages.ts";

const SEND_CHUNK_BYTES = 512 * 1024;

const REASONS: Record<number, string> = {
  ...{ 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 302: "Found" },
  ...{ 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found" },
  ...{
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
  },
  ...{
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    421: "Misdirected Request",
    423: "Locked",
    429: "Too Many Requests",
  },
  ...{
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
  },
  ...{ 507: "Insufficient Storage", 509: "Bandwidth Limit Exceeded" },
};

export interface SendOptions {
  /** For HEAD: no body. */
  headOnly: boolean;
  keepAlive: boolean;
  /** Maximum number of body bytes to send. */
  truncateTo: number | undefined;
}

/** @returns whether the whole body was sent */
export async function sendResponse(
  connection: Deno.Conn,
  response: ServiceResponse,
  options: SendOptions,
): Promise<boolean> {
  const body = typeof response.body === "string" ? new TextEncoder().encode(response.body) : response.body;
  const bodyless = response.status === 204 || response.status === 304;
  const head = headText(response, bodyless ? undefined : body.length, options.keepAlive);
  if (bodyless || options.headOnly) {
    await writeAll(connection, head);
    return true;
  }
  const length = Math.min(options.truncateTo ?? Infinity, body.length);
  if (body instanceof Uint8Array) {
    // In one write: the client must not wait for a second packet.
    await writeAll(connection, joined(head, body.subarray(0, length)));
  } else {
    await writeAll(connection, head);
    await sendSpan(connection, { ...body, length });
  }
  return length === body.length;
}

function headText(response: ServiceResponse, length: number | undefined, keepAlive: boolean): Uint8Array {
  const headers: Record<string, string> = { date: new Date().toUTCString(), ...response.headers };
  if (length !== undefined) headers["content-length"] = String(length);
  headers["connection"] = keepAlive ? "keep-alive" : "close";
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const reason = REASONS[response.status] ?? "Status";
  return new TextEncoder().encode(`HTTP/1.1 ${response.status} ${reason}\r\n${lines}\r\n`);
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return all;
}

async function sendSpan(connection: Deno.Conn, span: FileSpan): Promise<void> {
  using file = await Deno.open(span.file);
  await file.seek(span.start, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(SEND_CHUNK_BYTES, span.length));
  for (let left = span.length; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Error(`${span.file} is shorter than recorded`);
    await writeAll(connection, buffer.subarray(0, count));
    left -= count;
  }
}

/** @throws when the connection is closed */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}
