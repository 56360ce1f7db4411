/**
 * Plays the TLS proxy that Microsoft's Graph SDK expects, as its last middleware: the SDK sends its token to https
 * hosts only and accepts no other absolute URLs (GraphRequestUtil.isValidEndpoint). It sees the addresses of the
 * real service and the bytes of the sandbox.
 */

import type { Context, Middleware } from "npm:@microsoft/microsoft-graph-client@3.0.7";
import type { Sandbox } from "../mod.ts";

/** Translates the real hosts to the sandbox's in requests, and back in responses. */
export class LoopbackProxy implements Middleware {
  readonly #hosts: [string, string][];

  constructor(sandbox: Sandbox) {
    this.#hosts = [
      ["https://graph.microsoft.com", sandbox.apiOrigin],
      ["https://contoso.sharepoint.com", sandbox.storageOrigin],
    ];
  }

  async execute(context: Context): Promise<void> {
    const url = typeof context.request === "string" ? context.request : context.request.url;
    const response = await fetch(this.#inward(url), context.options as RequestInit);
    const headers = new Headers(response.headers);
    const location = headers.get("location");
    if (location !== null) headers.set("location", this.#outward(location));
    const isJson = (headers.get("content-type") ?? "").includes("json");
    if (isJson) headers.delete("content-length");
    const { status } = response;
    const isEmpty = status === 204 || location !== null;
    if (isEmpty) await response.body?.cancel();
    const body = isEmpty ? null : isJson ? this.#outward(await response.text()) : response.body;
    const outward = new Response(body, { status, headers });
    // The SDK's RedirectHandler compares this host with that of Location before it drops the token.
    Object.defineProperty(outward, "url", { value: this.#outward(response.url) });
    context.response = outward;
  }

  #inward(url: string): string {
    for (const [real, loopback] of this.#hosts) {
      if (url.startsWith(real)) return loopback + url.slice(real.length);
    }
    throw new Error(`the SDK asked for ${new URL(url).origin}, which is no host of the service`);
  }

  /** Storage URLs only: `webUrl` already has the real host. */
  #outward(text: string): string {
    return this.#hosts.reduce((all, [real, loopback]) => all.replaceAll(loopback, real), text);
  }
}
