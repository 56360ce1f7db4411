/** The options of the command that concern the line to the sandbox: TLS, names and shape. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { request } from "node:https";
import { join } from "node:path";
import { denoRun, ROOT, runProcess } from "../../test_env.ts";
import { newCertificate } from "../login/certificate.ts";
import { startSandbox } from "../mod.ts";
import { send } from "./testing.ts";
import { runSandbox, runUntilReady } from "./testing_command.ts";

const CA_VARIABLES = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "DENO_CERT",
];

/** The arguments of `--tls`: a certificate for these names with its authority, and the key. */
async function tlsFiles(folder: string, hosts: string[]): Promise<[cert: string, key: string]> {
  const authority = newCertificate();
  const server = newCertificate({ issuer: authority, hosts });
  const files: [string, string] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await Deno.writeTextFile(files[0], server.certificate + authority.certificate);
  await Deno.writeTextFile(files[1], server.privateKey);
  return files;
}

/** The status of a request to 127.0.0.1 under another name. */
function statusAt(url: string, ca: string): Promise<number | undefined> {
  const { hostname, host, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{
        host: "127.0.0.1",
        port,
        servername: hostname,
        ca,
        agent: false,
        path: pathname,
        headers: { host },
      },
    }, (response) => resolve(response.resume().statusCode));
    sent.on("error", reject);
    sent.end();
  });
}

Deno.test("sandbox command --tls suffices for a script, with what it prints", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const files = await tlsFiles(folder, ["localhost"]);
    await runUntilReady(["--approve", "--tls", ...files], "SIGINT", async (env) => {
      assertMatch(env["GRAPH_API_ORIGIN"]!, /^https:\/\/localhost:\d+$/);
      assertEquals(CA_VARIABLES.map((name) => env[name]), CA_VARIABLES.map(() => files[0]));
      const script = (name: string) => denoRun("-A", join(ROOT, "scripts", `${name}.ts`));
      const signedIn = await runProcess([...script("whoami"), "--prompt"], { env });
      assertEquals(signedIn.code, 0, signedIn.stderr);
      const { code, stdout, stderr } = await runProcess([...script("ls"), "General"], { env });
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, /^Agenda\.md$/m);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sandbox command --host-names serves the names of the service and shows the lines for the hosts file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const [cert, key] = await tlsFiles(folder, ["login.microsoftonline.com", "graph.microsoft.com"]);
    const { stderr } = await runUntilReady(["--host-names", `--tls=${cert}`, key], "SIGINT", async (env) => {
      assertMatch(env["GRAPH_LOGIN_ORIGIN"]!, /^https:\/\/login\.microsoftonline\.com:\d+$/);
      const ca = await Deno.readTextFile(env["SSL_CERT_FILE"]!);
      assertEquals(await statusAt(`${env["GRAPH_LOGIN_ORIGIN"]}/devicelogin`, ca), 200);
      assertEquals(await statusAt(`${env["GRAPH_API_ORIGIN"]}/v1.0/me`, ca), 401);
    });
    assertStringIncludes(
      stderr,
      "127.0.0.1 login.microsoftonline.com graph.microsoft.com\n" +
        "127.0.0.1 contoso-my.sharepoint.com my.microsoftpersonalcontent.com contoso.sharepoint.com\n",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sandbox command --host-names names its one port if it is in use", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await using taken = await startSandbox();
    const port = String(taken.ports.storage);
    const files = await tlsFiles(folder, ["graph.microsoft.com"]);
    const { code, stdout, stderr } = await runSandbox(["--tls", ...files, "--host-names", "--port", port]);
    assertEquals([code, stdout], [1, ""]);
    assertEquals(stderr, `sandbox: cannot start: port ${port} is in use; choose another with --port N\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sandbox command --latency and --rate shape the line of each service", async () => {
  await runUntilReady(["--approve", "--latency", "60", "--rate", "100KB"], "SIGINT", async (env) => {
    for (const name of ["GRAPH_LOGIN_ORIGIN", "GRAPH_API_ORIGIN"]) {
      const started = performance.now();
      assertEquals((await send(`${env[name]}/common/v2.0/.well-known/x`)).status > 0, true);
      assert(performance.now() - started >= 55, name);
    }
    const started = performance.now();
    await send(`${env["GRAPH_API_ORIGIN"]}/v1.0/me`, { method: "POST", body: new Uint8Array(40_000) });
    assert(performance.now() - started >= 390, "40 KB at 100 KB/s");
  });
});

Deno.test("sandbox command rejects incomplete or impossible options of the line", async () => {
  for (
    const [args, expected] of [
      [["--tls", "cert.pem"], "--tls takes two files, a certificate and its key"],
      [["--tls", "a", "b", "--tls", "c", "d"], "--tls takes two files, a certificate and its key"],
      [["--tls", "a", "b", "c"], "unexpected argument: c"],
      [["--tls", "/no/such/cert.pem", "key.pem"], "--tls /no/such/cert.pem: No such file"],
      [["--host-names"], "--host-names needs --tls CERT KEY"],
      [["--latency", "1s"], "--latency takes a whole number from 0 to 60000"],
      [["--rate", "fast"], '--rate takes bytes, such as 500KB, 10MiB or 25MB, not "fast"'],
      [["--rate", "0"], "--rate takes bytes"],
    ] as [string[], string][]
  ) {
    const { code, stdout, stderr } = await runSandbox(args);
    assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
    assertStringIncludes(stderr, expected);
  }
});

Deno.test("sandbox command --redirect-uri registers further redirect URIs", async () => {
  const args = ["--redirect-uri", "https://a.test/x", "--redirect-uri", "myapp://auth"];
  await runUntilReady(args, "SIGINT", async (env) => {
    for (
      const [redirectUri, status] of [["https://a.test/x", 200], ["myapp://auth", 200], ["myapp://else", 400]]
    ) {
      const query = new URLSearchParams({
        client_id: env["GRAPH_CLIENT_ID"]!,
        response_type: "code",
        redirect_uri: String(redirectUri),
        scope: "User.Read",
      });
      const reply = await send(
        `${env["GRAPH_LOGIN_ORIGIN"]}/${env["GRAPH_TENANT_ID"]}/oauth2/v2.0/authorize?${query}`,
      );
      assertEquals(reply.status, status, String(redirectUri));
    }
  });
});
