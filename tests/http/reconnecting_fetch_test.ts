/** After a 503, requests go over new connections (PROTOCOL 8d). Scripts: see throttling_faults_test.ts. */

import { assert, assertEquals } from "../assert.ts";
import { toFileUrl } from "../../lib/std.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { denoRun, pseudoRandomBytes, ROOT, runProcess } from "../test_env.ts";
import { type RequestRecord, type Sandbox, startSandbox } from "../sandbox/mod.ts";

/** A script keeps its connections until it ends, and so do these tests. */
const options = { sanitizeResources: false };

function sender(sandbox: Sandbox, http: HttpClient) {
  const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
  return async (path: string, retry: "idempotent" | "never" = "never") => {
    const answer = await http.send({
      method: "GET",
      url: `${sandbox.apiOrigin}/v1.0${path}`,
      headers,
      retry,
    });
    await answer.text();
    return answer.status;
  };
}

function connections(requests: readonly RequestRecord[]): number[] {
  return requests.map(({ connection }) => connection);
}

Deno.test("HttpClient keeps its connection until a 503, then the new one", options, async () => {
  await using sandbox = await startSandbox();
  const get = sender(sandbox, new HttpClient());
  for (let n = 0; n < 2; n++) assertEquals(await get("/me"), 200);
  sandbox.addFault({ path: "/me/drive", status: 503, headers: { "Retry-After": "0" } });
  assertEquals(await get("/me/drive", "idempotent"), 200);
  assertEquals(await get("/me"), 200);
  const [first, second, busy, again, later] = connections(sandbox.requests);
  // Deno 2.7 also closes connections on its own.
  if (!Deno.version.deno.startsWith("2.7.")) assertEquals([second, busy, later], [first, first, again]);
  assert(again !== busy, "the connection of the 503 was reused");
});

Deno.test(
  "HttpClient keeps its connection after other failures, and shares it with derived clients",
  options,
  async () => {
    if (Deno.version.deno.startsWith("2.7.")) return; // it also closes connections on its own
    await using sandbox = await startSandbox();
    const http = new HttpClient();
    const get = sender(sandbox, http);
    for (const status of [429, 500, 502, 504]) {
      sandbox.addFault({ status });
      assertEquals(await get("/me"), status);
    }
    await sender(sandbox, http.detached(5_000))("/me");
    assertEquals(new Set(connections(sandbox.requests)).size, 1);
  },
);

Deno.test(
  "HttpClient reconnects once after simultaneous 503s, and completes open requests",
  options,
  async () => {
    await using sandbox = await startSandbox();
    const http = new HttpClient();
    const get = sender(sandbox, http);
    const bytes = pseudoRandomBytes(3_000_000);
    sandbox.tenant.addFile("me", "big.bin", bytes);
    // The first reconnect, so that there is a connection to close.
    sandbox.addFault({ path: "/me", status: 503 });
    assertEquals(await get("/me"), 503);
    const url = (await fetch(`${sandbox.apiOrigin}/v1.0/me/drive/root:/big.bin:/content`, {
      redirect: "manual",
      headers: { authorization: `Bearer ${sandbox.issueToken()}` },
    })).headers.get("location")!;
    const download = await http.send({ method: "GET", url, retry: "never" });
    sandbox.addFault({ path: "/me", times: 8, status: 503 });
    assertEquals(await Promise.all(Array.from({ length: 8 }, () => get("/me"))), Array(8).fill(503));
    assertEquals(await get("/me"), 200);
    let received = 0;
    for await (const chunk of download.chunks()) received += chunk.length;
    assertEquals(received, bytes.length);
    const [last] = connections(sandbox.requests).slice(-1);
    const refused = sandbox.requests.filter(({ status }) => status === 503);
    assert(!connections(refused).includes(last!), "the connection of a 503 was reused");
  },
);

Deno.test(
  "HttpClient reconnects through the same proxy, without another permission",
  options,
  async () => {
    const seen: string[] = [];
    const proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = serveAsProxy(proxy, seen);
    const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    try {
      const snippet = `${folder}/snippet.ts`;
      await Deno.writeTextFile(
        snippet,
        `import { HttpClient } from ${JSON.stringify(toFileUrl(`${ROOT}lib/http/client.ts`).href)};
const answer = await new HttpClient().send({ method: "GET", url: "http://graph.example/v1.0/me", retry: "idempotent" });
console.log(answer.status, await answer.text());`,
      );
      const { port } = proxy.addr;
      const { stdout, stderr } = await runProcess(
        denoRun("--allow-net=graph.example", snippet),
        { env: { HTTP_PROXY: `http://127.0.0.1:${port}` } },
      );
      assertEquals(stdout, "200 through the proxy\n", stderr);
      assertEquals(seen, ["1 GET http://graph.example/v1.0/me", "2 GET http://graph.example/v1.0/me"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
      proxy.close();
      await served;
    }
  },
);

/** Responds 503 to the first request and 200 to the others; records connection and request line. */
async function serveAsProxy(proxy: Deno.TcpListener, seen: string[]): Promise<void> {
  const work: Promise<void>[] = [];
  let count = 0;
  for await (const connection of proxy) work.push(serveOne(connection, ++count));
  await Promise.all(work);

  async function serveOne(connection: Deno.TcpConn, number: number): Promise<void> {
    using _ = connection;
    const buffer = new Uint8Array(65_536);
    // Each request arrives in one read: it is small and has no body.
    for (let length; (length = await connection.read(buffer).catch(() => null)) !== null;) {
      const [line] = new TextDecoder().decode(buffer.subarray(0, length)).split(" HTTP/");
      seen.push(`${number} ${line}`);
      const [status, text] = seen.length === 1
        ? ["503 Service Unavailable\r\nRetry-After: 0", "busy"]
        : ["200 OK", "through the proxy"];
      await connection.write(
        new TextEncoder().encode(`HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
      );
    }
  }
}
