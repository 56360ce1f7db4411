/** Helpers of the sandbox's tests: fetch with a token, and raw sockets. */

import { assertEquals } from "../../assert.ts";
import type { Sandbox, TokenOptions } from "../mod.ts";
import { Tenant } from "../tenant/tenant.ts";

/** The whole state of a sandbox's tenant, of which others see less. */
export function tenantOf({ tenant }: Sandbox): Tenant {
  if (!(tenant instanceof Tenant)) throw new Error("not the tenant of a sandbox");
  return tenant;
}

/** A response, read to the end. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any
  json: any;
}

export type Graph = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Reply>;

/** Calls Graph with a token. Bodies other than bytes and strings are sent as JSON. Redirects are not followed. */
export function graphOf(sandbox: Sandbox, token?: TokenOptions): Graph {
  const authorization = `Bearer ${sandbox.issueToken(token)}`;
  return (method, path, body, headers = {}) => {
    const url = path.startsWith("http") ? path : `${sandbox.apiOrigin}/v1.0${path}`;
    const bytes = body instanceof Uint8Array || typeof body === "string";
    const type: Record<string, string> = body === undefined
      ? {}
      : { "content-type": bytes ? "application/octet-stream" : "application/json" };
    return send(url, {
      method,
      headers: { authorization, ...type, ...headers },
      ...(body === undefined ? {} : { body: bytes ? body as BodyInit : JSON.stringify(body) }),
    });
  };
}

/** Sends a request without a token, as storage requires. */
export async function send(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

/** Sends raw text and returns everything until the server closes or the response is complete. */
export async function raw(origin: string, request: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const end = text.indexOf("\r\n\r\n");
    const length = /^content-length: (\d+)/im.exec(text)?.[1];
    if (end >= 0 && length !== undefined && text.length >= end + 4 + Number(length)) return text;
  }
}

/** Asserts status, code and inner code of an error in either spelling. */
export function assertError(reply: Reply, status: number, code: string, inner?: string): void {
  const error = reply.json?.error ?? {};
  const found = [reply.status, error.code, (error.innerError ?? error.innererror)?.code];
  assertEquals(found, [status, code, inner], reply.text);
}

/** Bytes without repetition, so that misplaced fragments are detected. */
export function patternBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[i] = state ^ i;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** A path in the default library of TestTeam, by drive id. */
export function libraryPath(sandbox: Sandbox, path: string): string {
  return `/drives/${sandbox.tenant.drive("Documents").id}/${path}`;
}

/** Creates an upload session and returns its URL. */
export async function createSession(graph: Graph, itemPath: string, item: unknown = {}): Promise<string> {
  const reply = await graph("POST", `${itemPath}:/createUploadSession`, { item });
  assertEquals(reply.status, 200, reply.text);
  return reply.json.uploadUrl;
}

/** Sends one fragment of `bytes`. */
export function sendFragment(
  uploadUrl: string,
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return send(uploadUrl, {
    method: "PUT",
    body: bytes.subarray(start, end),
    headers: { "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, ...headers },
  });
}

/** Waits for a condition for at most five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    if (waitedMs > 5000) throw new Error(`timed out waiting for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
