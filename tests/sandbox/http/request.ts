/** Reads HTTP/1.1 requests: the raw head, and the body by its framing. */

import { type BodySource, ConnectionLost } from "../messages.ts";
import type { ByteReader } from "./byte_reader.ts";

const HEAD_LIMIT_BYTES = 64 * 1024;

/** The request line and the headers. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** Lower-case names; a repeated header is joined with ", ". */
  readonly headers: Record<string, string>;
  /** Whether the client keeps the connection open for more requests. */
  readonly keepAlive: boolean;
}

/** The request is not valid HTTP/1.1. */
export class MalformedRequest extends Error {
  override name = "MalformedRequest";
}

/** Reads a request head. @throws {MalformedRequest} @throws {ConnectionLost} when there is no further request */
export async function readHead(reader: ByteReader): Promise<RequestHead> {
  const [, method, target, minor] =
    /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(await reader.line(HEAD_LIMIT_BYTES)) ?? [];
  if (method === undefined || target === undefined) {
    throw new MalformedRequest("the request line is malformed");
  }
  const headers: Record<string, string> = {};
  let headBytes = 0;
  for (let line; (line = await reader.line(HEAD_LIMIT_BYTES)) !== "";) {
    headBytes += line.length;
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new MalformedRequest("a header is malformed");
    if (headBytes > HEAD_LIMIT_BYTES) throw new MalformedRequest("the headers are too large");
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  const connection = (headers["connection"] ?? "").toLowerCase();
  const keepAlive = minor === "1" ? connection !== "close" : connection === "keep-alive";
  return { method, target, headers, keepAlive };
}

/** The body that follows a head. `proceed` is called before the first read, for `Expect: 100-continue`. */
export function bodySource(reader: ByteReader, head: RequestHead, proceed: () => Promise<void>): BodySource {
  const { "transfer-encoding": coding, "content-length": length, expect } = head.headers;
  const chunked = coding !== undefined;
  if (chunked && coding.toLowerCase() !== "chunked") throw new MalformedRequest("an unknown transfer coding");
  if (length !== undefined && (chunked || !/^\d{1,15}$/.test(length))) {
    throw new MalformedRequest("Content-Length is malformed");
  }
  const declaredLength = length === undefined ? undefined : Number(length);
  const pull = chunked ? chunkedPull(reader) : countedPull(reader, declaredLength ?? 0);
  let waits = expect?.toLowerCase() === "100-continue";
  return {
    declaredLength,
    chunked,
    pull: async () => {
      if (waits) {
        waits = false;
        await proceed();
      }
      return await pull();
    },
  };
}

function countedPull(reader: ByteReader, length: number): BodySource["pull"] {
  let left = length;
  return async () => {
    if (left === 0) return undefined;
    const chunk = await reader.some(left);
    left -= chunk.length;
    return chunk;
  };
}

function chunkedPull(reader: ByteReader): BodySource["pull"] {
  let left = 0;
  let first = true;
  let ended = false;
  return async () => {
    if (ended) return undefined;
    if (left === 0) {
      // Read the line end of the previous chunk only now, since reading overwrites that chunk's memory.
      if (!first) await reader.line(2);
      first = false;
      left = chunkSize(await reader.line(1024));
      if (left === 0) {
        // Skip trailers.
        while (await reader.line(HEAD_LIMIT_BYTES) !== "");
        ended = true;
        return undefined;
      }
    }
    const chunk = await reader.some(left);
    left -= chunk.length;
    return chunk;
  };
}

function chunkSize(line: string): number {
  const size = /^([0-9a-fA-F]{1,12})[ \t]*(;.*)?$/.exec(line)?.[1];
  if (size === undefined) throw new ConnectionLost("a chunk is malformed");
  return parseInt(size, 16);
}
