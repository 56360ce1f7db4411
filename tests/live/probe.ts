/**
 * Single requests to the service, whose responses are looked at as they are. They go through the clients of the
 * toolkit, for their tokens, pauses and the check of storage hosts.
 *
 * @module
 */
import type { Connection } from "../../lib/connect.ts";
import type { Item } from "../../lib/drive/items.ts";
import type { HttpResponse } from "../../lib/http/response.ts";
import { isJsonObject, parseJsonObject } from "../../lib/json.ts";
import { type Report, safeWord } from "./report.ts";

/** What the checks work with. */
export interface Subject {
  readonly connection: Connection;
  readonly probe: Probe;
  readonly report: Report;
  /** The run's own folder. */
  readonly folder: Item;
  readonly isPersonal: boolean;
  /** A temporary folder on this machine. */
  readonly local: string;
}

/** A response, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, if it is a JSON object; otherwise empty. */
  readonly json: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

/** Reads of a new item are repeated, since it can be missing at first (PROTOCOL E3). */
const MAX_READS = 6;

export class Probe {
  readonly #connection: Connection;
  readonly #drive: string;
  readonly #folder: string;

  constructor(connection: Connection, { driveId, id }: Item) {
    this.#connection = connection;
    this.#drive = `/drives/${encodeURIComponent(driveId)}`;
    this.#folder = `${this.#drive}/items/${encodeURIComponent(id)}`;
  }

  /** The path of the run's folder, or of a relation of it. */
  folder(relation = ""): string {
    return `${this.#folder}${relation}`;
  }

  /** The path of a file in the folder, or of a relation of it. */
  file(name: string, relation = ""): string {
    const path = `${this.#folder}:/${encodeURIComponent(name)}`;
    return relation === "" ? path : `${path}:/${relation}`;
  }

  /** The path of an item by id. */
  item(id: string): string {
    return `${this.#drive}/items/${encodeURIComponent(id)}`;
  }

  /** Sends a request to Graph; statuses other than those that ask to wait are returned. */
  async graph(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    sent: Sent = {},
  ): Promise<Reply> {
    return await readReply(
      await this.#connection.graph.request(path, { what: "live check", method, ...sent }),
    );
  }

  /** Reads an item that was just made. */
  async read(path: string): Promise<Reply> {
    for (let reads = 1;; reads++) {
      const reply = await this.graph("GET", path);
      if (reply.status !== 404 || reads === MAX_READS) return reply;
      await this.#connection.graph.http.backOff(reads, "a new item");
    }
  }

  /** Stores a file in one request. */
  put(name: string, text: string, query = "", headers: Record<string, string> = {}): Promise<Reply> {
    return this.graph("PUT", this.file(name, `content${query}`), {
      bytes: new TextEncoder().encode(text),
      headers: { "content-type": "application/octet-stream", ...headers },
    });
  }

  /** Sends a request to an upload or download URL, without a token. */
  async storage(method: string, url: string, { bytes, headers = {} }: Sent = {}): Promise<Reply> {
    const response = await this.#connection.storage.send({
      method,
      url,
      headers,
      ...(bytes === undefined ? {} : { body: bytes }),
      retry: "throttled",
    });
    return await readReply(response);
  }
}

async function readReply(response: HttpResponse): Promise<Reply> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, json: parseJsonObject(text) ?? {} };
}

/** The status, and of an error its code: `201`, `409 nameAlreadyExists`. */
export function outcome({ status, json }: Reply): string {
  const { error } = json;
  return isJsonObject(error) ? `${status} ${safeWord(error.code)}` : String(status);
}

/** A property of a response that is a text. */
export function textOf({ json }: Reply, name: string): string {
  const value = json[name];
  return typeof value === "string" ? value : "";
}
