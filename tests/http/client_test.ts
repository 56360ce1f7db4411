import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { GraphError } from "../../lib/errors.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { scripted, status } from "./scripted_http.ts";

const url = "https://graph.microsoft.com/v1.0/me";

Deno.test("HttpClient fails without a response in time, and ends requests and pauses when aborted", async () => {
  const silent = (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) =>
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))
    );
  const http = new HttpClient({ fetch: silent });
  const late = await http.send({ method: "GET", url, retry: "never", headerTimeoutMs: 20 }).catch((error) =>
    error
  );
  assertMatch(late.message, /silent for 0 s/);
  const controller = new AbortController();
  const aborted = new HttpClient({ fetch: silent, signal: controller.signal });
  const request = aborted.send({ method: "GET", url, retry: "idempotent" }).catch((error) => error);
  const wait = aborted.wait(60_000, "test").catch((error) => error);
  controller.abort();
  assertEquals([(await request).kind, (await wait).kind], ["interrupted", "interrupted"]);
});

Deno.test("HttpClient fails on a silent body", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const { http } = scripted([new Response(body)], { maxWaitMs: 0 });
  const response = await http.send({ method: "GET", url, retry: "never" });
  const error = await response.text().catch((error) => error);
  assertEquals(error.kind, "unavailable");
  assertMatch(error.message, /silent for 2 s/);
});

Deno.test("HttpClient sends a throttled-only request once, even if a reused connection breaks", async () => {
  const { createServer } = await import("node:http");
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      requests.push(
        `${request.method} ${request.headers["content-length"]} ${request.headers["transfer-encoding"]}`,
      );
      if (request.method === "PUT") request.socket.destroy();
      else response.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const local = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  try {
    const http = new HttpClient();
    await (await http.send({ method: "GET", url: local, retry: "never" })).text(); // leaves a connection to reuse
    const error = await http.send({ method: "PUT", url: local, retry: "throttled", body: new Uint8Array(5) })
      .catch((error) => error);
    assertEquals(error.kind, "unavailable");
    assertEquals(requests, ["GET undefined undefined", "PUT 5 undefined"]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("HttpClient traces no query, and no path of a pre-authenticated URL", async () => {
  const events: unknown[] = [];
  const { http } = scripted([status(200), status(200)], { trace: (event) => events.push(event) });
  await http.send({ method: "GET", url: `${url}?$select=id`, retry: "never" });
  await http.send({
    method: "GET",
    url: "https://contoso.sharepoint.com/secret?tempauth=secret",
    retry: "never",
    secretUrl: true,
  });
  assertEquals(JSON.stringify(events).includes("secret"), false);
  assertMatch(JSON.stringify(events), /contoso\.sharepoint\.com\/…/);
});

Deno.test("HttpClient ends the pause of a request that is aborted", async () => {
  const controller = new AbortController();
  let waiting = () => {};
  const isWaiting = new Promise<void>((resolve) => waiting = resolve);
  const http = new HttpClient({
    fetch: () => Promise.resolve(status(429, { "retry-after": "100" })),
    onWait: () => waiting(),
    signal: new AbortController().signal,
  });
  const request = http.send({ method: "GET", url, retry: "idempotent", signal: controller.signal }).catch((
    error,
  ) => error);
  await isWaiting;
  controller.abort();
  assertEquals((await request).kind, "interrupted");
});

Deno.test("HttpClient fails after 32 MiB of text", async () => {
  let sent = 0;
  const chunk = new TextEncoder().encode(" ".repeat(1024 ** 2));
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const { http } = scripted([new Response(endless)]);
  const response = await http.send({ method: "GET", url, retry: "idempotent" });
  const error = await response.text().then(() => ({} as GraphError), (error) => error);
  assertEquals([error.kind, error.code], ["failed", "tooLarge"]);
  assert(sent < 40 * 1024 ** 2);
});
