/** The access token goes to the Graph origin only, whatever the service responds. */

import { assertEquals, assertMatch } from "../assert.ts";
import { pseudoRandomBytes, type ScriptName, startTestEnv, type TestEnv } from "../test_env.ts";
import type { FaultRule } from "../sandbox/mod.ts";

/** A foreign host, on another port of this machine. */
function listen(): AsyncDisposable & { origin: string; heard: string[] } {
  const heard: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    heard.push(`${request.method} ${request.url} ${request.headers.get("authorization") ?? ""}`);
    return new Response("{}", { headers: { "content-type": "application/json" } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    heard,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Asserts that tokens went only to Graph, and to the paths of its API. */
function checkTokens(env: TestEnv): void {
  const stray = env.sandbox.requests.filter(({ service, path, headers }) =>
    headers.authorization !== undefined && (service !== "graph" || !path.startsWith("/v1.0/"))
  );
  assertEquals(stray.map(({ service, path }) => `${service} ${path}`), []);
}

const ONCE = ["--max-wait", "1s"];

Deno.test("scripts follow no redirect of Graph with a token", async () => {
  await using env = await startTestEnv();
  await using foreign = listen();
  const small = await env.file("small.txt", "small");
  const large = await env.file("large.bin", pseudoRandomBytes(400_000));
  const location = `${foreign.origin}/v1.0/me?x=1`;
  const runs: [string, ScriptName, ...string[]][] = [
    ["/v1.0/me", "whoami"],
    ["/v1.0/me", "whoami", "--check"],
    ["/children", "ls", "General"],
    ["/content", "put", small, "General/"],
    ["createUploadSession", "put-large", large, "General/"],
  ];
  for (const status of [301, 302, 307, 308]) {
    for (const [path, script, ...args] of runs) {
      env.sandbox.clearFaults();
      env.sandbox.addFault({
        service: "graph",
        path,
        times: "always",
        status,
        headers: { location },
        body: "",
      });
      const { code, stderr } = await env.run(script, ...ONCE, ...args);
      assertEquals(code === 0, false, `${script} took HTTP ${status} for a success: ${stderr}`);
    }
  }
  env.sandbox.clearFaults();
  const accepted = {
    status: 202,
    headers: { location, "operation-location": location, "content-location": location },
  };
  for (const [path, script, ...args] of runs.slice(3)) {
    env.sandbox.addFault({ service: "graph", path, times: "always", ...accepted, body: "" }); // as for a monitor
    await env.run(script, ...ONCE, ...args);
    env.sandbox.clearFaults();
  }
  assertEquals(foreign.heard, []);
  checkTokens(env);
});

Deno.test("ls sends no token to a next link on any other host", async () => {
  await using env = await startTestEnv();
  await using foreign = listen();
  const host = new URL(foreign.origin).host;
  const links = [
    `${foreign.origin}/v1.0/next`,
    `${env.sandbox.apiOrigin.replace("http://", "http://x@")}`.replace(/@.*/, `@${host}/v1.0/next`),
    `http://graph.microsoft.com@${host}/v1.0/next`,
    `${env.sandbox.storageOrigin}/v1.0/next`,
    `HTTP:\\\\${host}\\v1.0\\next`,
    env.sandbox.apiOrigin.replace("http:", "https:") + "/v1.0/next",
  ];
  for (const link of links) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ path: "/children", times: "always", patch: { "@odata.nextLink": link } });
    const { code, stderr } = await env.run("ls", "General");
    assertEquals(code, 1, `${link}: ${stderr}`);
    assertMatch(stderr, /link to another host/);
  }
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    patch: { "@odata.nextLink": `//${host}/v1.0/next` },
  });
  await env.run("ls", "General"); // resolves to a path on the Graph origin that does not exist
  assertEquals(foreign.heard, []);
  checkTokens(env);
});

Deno.test("get sends no token, and requests to storage hosts only", async () => {
  await using env = await startTestEnv();
  await using foreign = listen();
  env.sandbox.tenant.addFile("Documents", "General/a.bin", "content");
  const refused = async (fault: FaultRule, name: string) => {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ times: "always", ...fault });
    const { code, stderr } = await env.run("get", ...ONCE, "General/a.bin", name);
    assertEquals([code, /transfer link to http:\/\/127\.0\.0\.1/.test(stderr)], [5, true], stderr);
  };
  const itemRequest = { service: "graph" as const, path: /a\.bin|items\/[^/]+$/ };
  const link = `${foreign.origin}/download.aspx?tempauth=x`;
  await refused({ ...itemRequest, patch: { "@microsoft.graph.downloadUrl": link } }, "1");
  await refused(
    { ...itemRequest, patch: { "@microsoft.graph.downloadUrl": `${env.sandbox.apiOrigin}/v1.0/x` } },
    "2",
  );

  // Without a download URL in the item, only the redirect of /content is left.
  const linkless = {
    ...itemRequest,
    times: "always" as const,
    patch: { "@microsoft.graph.downloadUrl": null },
  };
  const redirected = async (location: string | undefined, name: string) => {
    env.sandbox.clearFaults();
    if (location !== undefined) {
      env.sandbox.addFault({
        path: "/content",
        times: "always",
        status: 302,
        headers: { location },
        body: "",
      });
    }
    env.sandbox.addFault(linkless);
    return await env.run("get", ...ONCE, "General/a.bin", name);
  };
  assertEquals((await redirected(undefined, "3")).code, 0);
  assertEquals((await redirected(link, "4")).code, 5);
  assertEquals((await redirected(`${env.sandbox.apiOrigin}/v1.0/me`, "5")).code, 5);

  env.sandbox.clearFaults();
  const moved = { times: "always" as const, status: 302, headers: { location: link }, body: "" };
  env.sandbox.addFault({ service: "storage", path: "download.aspx", ...moved });
  assertEquals((await env.run("get", ...ONCE, "General/a.bin", "6")).code === 0, false);
  assertEquals(foreign.heard, []);
  checkTokens(env);
});

Deno.test("put-large sends no request to a foreign upload URL, and no token to one on the Graph origin", async () => {
  await using env = await startTestEnv();
  await using foreign = listen();
  const large = await env.file("large.bin", pseudoRandomBytes(400_000));
  const session = (uploadUrl: string): FaultRule => ({
    path: "createUploadSession",
    times: "always",
    patch: { uploadUrl },
  });
  const place = () => `General/${crypto.randomUUID()}.bin`; // an open session blocks its name
  for (const uploadUrl of [`${foreign.origin}/up?tempauth=x`, `${env.sandbox.apiOrigin}/up?tempauth=x`]) {
    env.sandbox.clearFaults();
    env.sandbox.addFault(session(uploadUrl));
    const { code, stderr } = await env.run("put-large", ...ONCE, large, place());
    assertEquals(code, 5, stderr);
  }
  assertEquals(env.sandbox.requests.filter(({ path }) => path.startsWith("/up?")), []);

  // If a gateway serves both from one origin, that origin is also a storage host.
  env.sandbox.clearFaults();
  env.sandbox.addFault(session(`${env.sandbox.apiOrigin}/up?tempauth=x`));
  const hosts = [env.sandbox.apiOrigin, env.sandbox.storageOrigin].map((origin) => new URL(origin).host).join(
    ",",
  );
  const variables = { GRAPH_STORAGE_HOSTS: hosts };
  assertEquals(
    (await env.runWith({ env: variables }, "put-large", ...ONCE, large, place())).code === 0,
    false,
  );
  const sent = env.sandbox.requests.filter(({ path }) => path.startsWith("/up?"));
  assertEquals([sent.length > 0, sent.every(({ headers }) => headers.authorization === undefined)], [
    true,
    true,
  ]);

  env.sandbox.clearFaults();
  const location = `${foreign.origin}/up`;
  for (const status of [301, 302, 307, 308]) {
    env.sandbox.addFault({
      service: "storage",
      method: "PUT",
      times: "always",
      status,
      headers: { location },
      body: "",
    });
    assertEquals((await env.run("put-large", ...ONCE, "--no-resume", large, place())).code === 0, false);
    env.sandbox.clearFaults();
  }
  assertEquals(foreign.heard, []);
  checkTokens(env);
});

Deno.test("scripts send codes and refresh tokens to the sign-in service only", async () => {
  await using env = await startTestEnv();
  await using foreign = listen();
  for (const status of [301, 302, 307, 308]) {
    env.sandbox.clearFaults();
    env.sandbox.expireAccessTokens();
    env.sandbox.addFault({
      service: "login",
      times: "always",
      status,
      headers: { location: `${foreign.origin}/token` },
      body: "",
    });
    assertEquals((await env.run("ls", ...ONCE, "General")).code === 0, false);
    assertEquals((await env.run("whoami", "--check")).code, 4); // the token has expired, which comes before 8
  }
  assertEquals(foreign.heard, []);
  checkTokens(env);
});
