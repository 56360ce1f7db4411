/** The sandbox as a whole: start, close, request records and the command. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../../assert.ts";
import { fileURLToPath } from "node:url";
import { dirname, join } from "../../../lib/std.ts";
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, sign, X509Certificate } from "node:crypto";
import { startSandbox } from "../mod.ts";
import { createSession, graphOf, libraryPath, send, until } from "./testing.ts";
import { runSandbox, runUntilReady } from "./testing_command.ts";

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("sandbox environment suffices for scripts, and close() leaves no files", async () => {
  const sandbox = await startSandbox();
  assertEquals(Object.keys(sandbox.env).sort(), [
    ...["GRAPH_API_ORIGIN", "GRAPH_CLIENT_ID", "GRAPH_LOGIN_ORIGIN", "GRAPH_SCRIPTS_HOME", "GRAPH_SITE"],
    ...["GRAPH_SITE_HOST", "GRAPH_STORAGE_HOSTS", "GRAPH_TENANT_ID"],
  ]);
  assertMatch(sandbox.env["GRAPH_STORAGE_HOSTS"]!, /^127\.0\.0\.1:\d+$/);
  const home = sandbox.env["GRAPH_SCRIPTS_HOME"]!;
  await Deno.writeTextFile(join(home, "cache.json"), "{}");
  const graph = graphOf(sandbox);
  await createSession(graph, libraryPath(sandbox, "root:/open.bin"));
  await sandbox.close();
  await sandbox.close();
  assert(!exists(join(home, "..")), "the temporary folder is deleted");
  await assertRejects(() => graph("GET", "/me"));
});

Deno.test("close() aborts a fragment and leaves no files", async () => {
  const sandbox = await startSandbox();
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/open.bin"));
  const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const waiting = send(`${sandbox.apiOrigin}/v1.0/me/drive/root:/slow.bin:/content`, {
    method: "PUT",
    body,
    headers: { authorization: `Bearer ${sandbox.issueToken()}`, "content-type": "text/plain" },
  });
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const head = `PUT ${url.slice(sandbox.storageOrigin.length)} HTTP/1.1\r\nHost: s\r\nContent-Length: 10\r\n`;
  await slow.write(new TextEncoder().encode(`${head}Content-Range: bytes 0-9/10\r\n\r\n01234`));
  await until(() => sandbox.requests.length === 3);
  await Promise.all([assertRejects(() => waiting), sandbox.close()]);
  assert(!exists(join(sandbox.env["GRAPH_SCRIPTS_HOME"]!, "..")));
  assertEquals(sandbox.requests.map((request) => request.status), [200, 0, 0]);
});

Deno.test("sandboxes are independent", async () => {
  await using one = await startSandbox();
  await using two = await startSandbox();
  assert(new Set([one, two].flatMap((s) => [s.loginOrigin, s.apiOrigin, s.storageOrigin])).size === 6);
  const headers = { authorization: `Bearer ${one.issueToken()}` };
  assertEquals((await send(`${two.apiOrigin}/v1.0/me`, { headers })).status, 401);
  one.tenant.addFile("me", "only here.txt", "x");
  assertEquals(two.tenant.find("me", "only here.txt"), undefined);
  assertEquals(one.tenant.find("Documents", "General")!.id, two.tenant.find("Documents", "General")!.id);
});

Deno.test("startSandbox() fails on a port in use, closes its other listeners and leaves no files", async () => {
  await using taken = await startSandbox();
  const second = Number(new URL(taken.apiOrigin).port);
  const home = join(taken.env["GRAPH_SCRIPTS_HOME"]!, "another");
  const error = await assertRejects(() => startSandbox({ port: second - 1, home }));
  assertEquals((error as { code?: string }).code, "EADDRINUSE");
  assert(!exists(home));
});

Deno.test("requests are recorded raw, and logged as one JSON line each", async () => {
  const logFile = await Deno.makeTempFile();
  try {
    await using sandbox = await startSandbox({ logFile });
    const graph = graphOf(sandbox);
    await graph("PUT", "/me/drive/root:/a%20b+c.txt:/content?x='", "hello", { "X-Test": "1" });
    const record = sandbox.requests[0]!;
    assertEquals([record.n, record.service, record.method, record.status], [1, "graph", "PUT", 201]);
    assertEquals(record.path, "/v1.0/me/drive/root:/a%20b+c.txt:/content?x=%27");
    assertEquals([record.requestBytes, record.headers["x-test"], record.fault], [5, "1", undefined]);
    const lines = (await Deno.readTextFile(logFile)).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map((line) => [line.n, line.status, line.path]), [[1, 201, record.path]]);
    assertEquals(lines[0].headers.authorization, "Bearer …");
    assertMatch(record.headers.authorization!, /^Bearer .{20}/);
    const url = await createSession(graph, libraryPath(sandbox, "root:/open.bin"));
    await send(url);
    const log = await Deno.readTextFile(logFile);
    for (const secret of sandbox.tenant.secrets()) assert(!log.includes(secret), secret);
    assertStringIncludes(log, "tempauth=…");
  } finally {
    await Deno.remove(logFile);
  }
});

Deno.test("large upload takes no memory and is stored on disk once", async () => {
  // Parallel tests are threads of one process: the sandbox's memory can be measured only in its own process.
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-config", "-A", fileURLToPath(new URL("memory_probe.ts", import.meta.url))],
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { responses, last, grownMiB, files } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals([responses, last], [40, `201 ${400 * 1024 * 1024}`]);
  assert(grownMiB < 100, `400 MiB uploaded, memory grew by ${grownMiB} MiB`);
  assertEquals(files, 2, "the seed and the one upload");
});

Deno.test("sandbox command prints the environment, serves, and cleans up when interrupted", async () => {
  const faults = await Deno.makeTempFile();
  await Deno.writeTextFile(faults, '[{"path": "/devicelogin", "nth": 2, "status": 503}]');
  let home = "";
  try {
    const ended = await runUntilReady(["--faults", faults, "--token-life", "60"], "SIGINT", async (env) => {
      home = env["GRAPH_SCRIPTS_HOME"]!;
      assertEquals(env["GRAPH_SITE"], "contoso.sharepoint.com/sites/TestTeam");
      assert(exists(home));
      assertStringIncludes((await send(`${env["GRAPH_LOGIN_ORIGIN"]}/devicelogin`)).text, "Enter code");
      assertEquals((await send(`${env["GRAPH_LOGIN_ORIGIN"]}/devicelogin`)).status, 503);
    });
    assertEquals(ended.code, 130);
    assertMatch(
      ended.stderr,
      /^Type device codes at http:\/\/127\.0\.0\.1:\d+\/devicelogin\nSee what happens at http:\/\/127\.0\.0\.1:\d+\/, and stop with Ctrl\+C\.\n$/,
    );
    assert(!exists(home));
  } finally {
    await Deno.remove(faults);
  }
  const terminated = await runUntilReady(["--approve"], "SIGTERM", (env) => {
    home = env["GRAPH_SCRIPTS_HOME"]!;
    return Promise.resolve();
  });
  assertEquals([terminated.code, exists(home)], [0, false]);
});

Deno.test("sandbox command --app provides app-only sign-in with either credential", async () => {
  const secret = await runUntilReady(["--app", "--approve"], "SIGINT", async (env) => {
    const file = env["GRAPH_CLIENT_SECRET_FILE"]!;
    assertPrivate(env, file);
    const client_secret = await Deno.readTextFile(file);
    await assertAppSignsIn(env, { client_secret });
    assertEquals(env["GRAPH_CLIENT_CERTIFICATE_FILE"], undefined);
  });
  assertEquals(secret.code, 130);
  const certificate = await runUntilReady(["--app=certificate"], "SIGINT", async (env) => {
    const file = env["GRAPH_CLIENT_CERTIFICATE_FILE"]!;
    assertPrivate(env, file);
    const pem = await Deno.readTextFile(file);
    const { raw } = new X509Certificate(pem);
    const x5t = createHash("sha1").update(raw).digest("base64url");
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const id = env["GRAPH_CLIENT_ID"]!;
    const signed = `${part({ alg: "RS256", typ: "JWT", x5t })}.${
      part({ aud: tokenEndpoint(env), iss: id, sub: id, jti: crypto.randomUUID(), nbf: now, exp: now + 600 })
    }`;
    const signature = sign(
      "sha256",
      Buffer.from(signed),
      createPrivateKey(/-----BEGIN (.*PRIVATE KEY)-----[^]+-----END \1-----/.exec(pem)![0]),
    ).toString("base64url");
    await assertAppSignsIn(env, {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: `${signed}.${signature}`,
    });
    assertEquals(env["GRAPH_CLIENT_SECRET_FILE"], undefined);
  });
  assertEquals(certificate.code, 130);
});

function assertPrivate(env: Record<string, string>, file: string): void {
  assertEquals(dirname(file), env["GRAPH_SCRIPTS_HOME"]);
  if (Deno.build.os !== "windows") assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
}

function tokenEndpoint(env: Record<string, string>): string {
  return `${env["GRAPH_LOGIN_ORIGIN"]}/${env["GRAPH_TENANT_ID"]}/oauth2/v2.0/token`;
}

async function assertAppSignsIn(env: Record<string, string>, form: Record<string, string>): Promise<void> {
  const body = new URLSearchParams({
    client_id: env["GRAPH_CLIENT_ID"]!,
    grant_type: "client_credentials",
    scope: "https://graph.microsoft.com/.default",
    ...form,
  });
  const { status, json } = await send(tokenEndpoint(env), { method: "POST", body });
  assertEquals(status, 200, JSON.stringify(json));
  const headers = { authorization: `Bearer ${json.access_token}` };
  assertEquals((await send(`${env["GRAPH_API_ORIGIN"]}/v1.0/sites/root`, { headers })).status, 200);
}

Deno.test("sandbox command --audience sets signInAudience", async () => {
  for (const [args, status] of [[[], 400], [["--audience", "AzureADMultipleOrgs"], 200]] as const) {
    await runUntilReady([...args], "SIGINT", async (env) => {
      const body = new URLSearchParams({ client_id: env["GRAPH_CLIENT_ID"]!, scope: "User.Read" });
      const url = `${env["GRAPH_LOGIN_ORIGIN"]}/common/oauth2/v2.0/devicecode`;
      assertEquals((await send(url, { method: "POST", body })).status, status);
    });
  }
});

Deno.test("sandbox command rejects invalid arguments in one line", async () => {
  for (
    const [args, expected] of [
      [["--frobnicate"], "unknown option: --frobnicate"],
      [["start"], "unexpected argument: start"],
      [["--port", "0"], "--port takes a whole number"],
      [["--token-life", "1h"], "--token-life takes a whole number"],
      [["--port"], "--port takes a value"],
      [["--app=password"], '--app takes one of secret, certificate, not "password"'],
      [["--audience", "everybody"], "--audience takes one of AzureADMyOrg, AzureADMultipleOrgs, "],
      [["--audience"], "--audience takes a value"],
      [["--redirect-uri", "x"], '--redirect-uri takes a URI without a fragment, not "x"'],
      [
        ["--redirect-uri=https://a.test/#x"],
        '--redirect-uri takes a URI without a fragment, not "https://a.test/#x"',
      ],
      [["--faults", "/no/such/file"], "--faults /no/such/file:"],
    ] as [string[], string][]
  ) {
    const { code, stdout, stderr } = await runSandbox(args);
    assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
    assertStringIncludes(stderr, expected);
  }
  const help = await runSandbox(["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const option of ["--approve", "--app", "--audience", "--port", "--faults", "--token-life", "--log"]) {
    assertStringIncludes(help.stdout, option);
  }
});

Deno.test("sandbox command names a port in use and the option for another", async () => {
  await using taken = await startSandbox();
  const port = new URL(taken.loginOrigin).port;
  const { code, stdout, stderr } = await runSandbox(["--port", port]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`one of the ports ${port} to ${Number(port) + 2} is in use; .*--port N`));
});
