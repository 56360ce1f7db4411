/**
 * Requests to pre-authenticated upload and download URLs: without a token, over https (or to loopback), and only to the
 * storage hosts of Microsoft 365 (PROTOCOL 15).
 *
 * @module
 */
import { HOST, isSecure } from "../clouds.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient, HttpRequest } from "../http/client.ts";
import type { HttpResponse } from "../http/response.ts";

export class StorageClient {
  readonly http: HttpClient;
  readonly #hosts: readonly string[];

  /** @param hosts Host names; `*.` stands for any subdomain, and `:port` is needed where it is not 443. */
  constructor(http: HttpClient, hosts: readonly string[]) {
    this.http = http;
    this.#hosts = hosts.map((host) => host.toLowerCase());
  }

  /** Sends to a pre-authenticated URL, byte for byte as the service gave it, if its host is allowed. */
  send(request: Omit<HttpRequest, "secretUrl">): Promise<HttpResponse> {
    this.check(request.url);
    return this.http.send({ ...request, secretUrl: true });
  }

  /** The same client over another transport. */
  withHttp(http: HttpClient): StorageClient {
    return new StorageClient(http, this.#hosts);
  }

  /** Whether a URL leads to a storage host. */
  accepts(link: string): boolean {
    const url = URL.parse(link);
    if (url === null || !isSecure(url) || !HOST.test(url.host)) return false;
    return this.#hosts.some((pattern) => matchesHost(url, pattern));
  }

  /** @throws {GraphError} `refused` for a host that is not allowed. */
  check(link: string): void {
    if (this.accepts(link)) return;
    const host = URL.parse(link)?.origin ?? "something that is not a URL";
    throw new GraphError("refused", `the service sent a transfer link to ${host}`, {
      code: "foreignStorage",
      hint: "nothing was sent there; if that host is yours, add it to GRAPH_STORAGE_HOSTS",
    });
  }
}

function matchesHost({ host }: URL, pattern: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}
