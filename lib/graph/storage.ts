/**
 * Requests to pre-authenticated upload and download URLs: never with a token, only to storage hosts of Microsoft 365
 * (PROTOCOL 15), over https or to loopback.
 *
 * @module
 */
import { isLoopback } from "../clouds.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../http/client.ts";

/** A client of storage hosts. */
export class StorageClient {
  readonly http: HttpClient;
  readonly #hosts: readonly string[];

  /** @param hosts Host names, with `*.` for any host below, and `:port` where it is not 443. */
  constructor(http: HttpClient, hosts: readonly string[]) {
    this.http = http;
    this.#hosts = hosts.map((host) => host.toLowerCase());
  }

  /**
   * Sends to a pre-authenticated URL, byte for byte as the service gave it.
   *
   * @throws {GraphError} `refused` for a host that is not on the list; nothing is sent.
   */
  send(request: Omit<HttpRequest, "secretUrl">): Promise<HttpResponse> {
    this.check(request.url);
    return this.http.send({ ...request, secretUrl: true });
  }

  /** The same client over another transport. */
  withHttp(http: HttpClient): StorageClient {
    return new StorageClient(http, this.#hosts);
  }

  /** See {@linkcode HttpClient.detached}. */
  detached(timeoutMs: number): StorageClient {
    return new StorageClient(this.http.detached(timeoutMs), this.#hosts);
  }

  /** Whether this client would send to a URL. */
  accepts(link: string): boolean {
    try {
      this.check(link);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws {GraphError} `refused` for a URL that this client would not send to. */
  check(link: string): void {
    let url: URL;
    try {
      url = new URL(link);
    } catch {
      throw new GraphError("failed", "the service sent something that is not a URL", { code: "invalidLink" });
    }
    const secure = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
    if (secure && this.#hosts.some((pattern) => matchesHost(url, pattern))) return;
    throw new GraphError("refused", `the service sent a transfer link to ${url.protocol}//${url.host}`, {
      code: "foreignStorage",
      hint: "nothing was sent there; if that host is yours, add it to GRAPH_STORAGE_HOSTS",
    });
  }
}

function matchesHost(url: URL, pattern: string): boolean {
  const [, name = "", port = ""] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  if (url.port !== (port === "443" && url.protocol === "https:" ? "" : port)) return false;
  return name.startsWith("*.") ? url.hostname.endsWith(name.slice(1)) : url.hostname === name;
}
