/** Scripts in a network whose only way out is a proxy, with certificates of its own authority. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { leaksIn } from "../cli/secret_scan.ts";
import {
  commandLine,
  type ProcessResult,
  pseudoRandomBytes,
  runProcess,
  type ScriptName,
} from "../test_env.ts";
import { ForwardProxy } from "./forward_proxy.ts";
import { type CompanyNetwork, CREDENTIALS, startCompanyNetwork, useAllScripts } from "./company_network.ts";

type Variables = Record<string, string | undefined>;

/** Runs a script with changed variables, and makes sure that it prints no password and no token. */
async function run(
  { sandbox, proxy, folder, env }: CompanyNetwork,
  script: ScriptName,
  args: string[],
  changes: Variables,
): Promise<ProcessResult> {
  const all = Object.entries({ ...env, ...changes }).filter(([, value]) => value !== undefined);
  const variables = Object.fromEntries(all) as Record<string, string>;
  const line = commandLine(script, [...args, "--verbose", "--max-wait", "1s"], env);
  const ended = await runProcess(line, { env: variables, cwd: folder });
  const printed = [{ from: script, text: ended.stdout + ended.stderr }];
  const tokens = sandbox.tenant.secrets().filter((secret) => secret.length > 20);
  assertEquals(leaksIn(printed, [...proxy.secrets, ...tokens]), []);
  return ended;
}

/** Lists a folder with a token. */
function list(network: CompanyNetwork, changes: Variables): Promise<ProcessResult> {
  return run(network, "ls", ["General"], { GRAPH_ACCESS_TOKEN: network.sandbox.issueToken(), ...changes });
}

Deno.test("all five scripts work through a proxy with a password, with the company's certificates", async () => {
  await using network = await startCompanyNetwork("service");
  await useAllScripts(network, (script, args) => commandLine(script, args, network.env));
});

Deno.test("a proxy is used as the variables say, for loopback hosts as well", async (t) => {
  await using network = await startCompanyNetwork("localhost");
  const { proxy, ca } = network;
  const none = { HTTPS_PROXY: undefined };
  const cases: [string, Variables, boolean][] = [
    ["HTTPS_PROXY", {}, true],
    ["https_proxy", { ...none, https_proxy: proxy.url }, true],
    ["ALL_PROXY", { ...none, ALL_PROXY: proxy.url }, true],
    ["HTTPS_PROXY without http://", { HTTPS_PROXY: proxy.url.replace("http://", "") }, true],
    ["both cases, of which the upper wins", { https_proxy: "http://127.0.0.1:9" }, true],
    ["HTTP_PROXY, which is not for https", { ...none, HTTP_PROXY: proxy.url }, false],
    ["NO_PROXY", { NO_PROXY: "contoso.example, localhost" }, false],
    ["no_proxy", { no_proxy: "localhost" }, false],
    ["NO_PROXY for all hosts", { NO_PROXY: "*" }, false],
    ["NO_PROXY with a port", { NO_PROXY: `localhost:${network.sandbox.ports.graph}` }, true],
    ["NO_PROXY for another host", { NO_PROXY: "127.0.0.1" }, true],
    [
      "the system's certificates",
      { DENO_CERT: undefined, DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: ca },
      true,
    ],
  ];
  for (const [name, changes, isProxied] of cases) {
    await t.step(name, async () => {
      proxy.requests.length = 0;
      const { code, stdout, stderr } = await list(network, changes);
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /^Agenda\.md$/m);
      assertEquals(proxy.requests.length > 0, isProxied, proxy.requests.join());
    });
  }
});

Deno.test("failures of a proxy or certificate say what to check (PROTOCOL A8)", async (t) => {
  await using network = await startCompanyNetwork("localhost");
  const { proxy } = network;
  const port = network.sandbox.ports.graph;
  await using refusing = new ForwardProxy({ ...CREDENTIALS, routes: {} });
  const wrong = proxy.url.replace("user:", "other:");
  const cases: [string, Variables, RegExp][] = [
    [
      "wrong credentials",
      { HTTPS_PROXY: wrong },
      /the proxy .*refused its user name and password; check HTTPS_PROXY=.* \(proxyAuthentication\)/,
    ],
    ["no credentials", { HTTPS_PROXY: `http://${proxy.host}` }, /the proxy .*refused its user name/],
    [
      "no certificate",
      { DENO_CERT: undefined },
      /invalid peer certificate: UnknownIssuer; .*export DENO_CERT=\/path\/ca\.pem, or DENO_TLS_CA_STORE=system.* \(certificate\)/,
    ],
    [
      "no such certificate file",
      { DENO_CERT: join(network.folder, "nope.pem") },
      /Failed opening CA file: .*; check the path in DENO_CERT.* \(certificate\)/,
    ],
    [
      "a proxy that refuses the host",
      { HTTPS_PROXY: refusing.url },
      /the proxy .*does not connect to it \(unsuccessful tunnel\); .*NO_PROXY.* \(network\)/,
    ],
    [
      "a proxy that is down",
      { HTTPS_PROXY: wrong.replace(/\d+$/, "9") },
      /: tcp connect error: Connection refused.*HTTPS_PROXY.*\(network\)/,
    ],
  ];
  for (const [name, changes, expected] of cases) {
    await t.step(name, async () => {
      const { code, stderr } = await list(network, changes);
      assertEquals(code, 8, stderr);
      assertMatch(stderr, expected);
      assertMatch(stderr, new RegExp(`^ls: (General: )?cannot reach localhost:${port}: `, "m"));
      assert(name.startsWith("a proxy") || !stderr.includes("waiting"), "it was tried again");
    });
  }
});

Deno.test("an upload stays resumable when the proxy wants another password in the middle", async () => {
  await using network = await startCompanyNetwork("service");
  const { proxy, sandbox, folder } = network;
  await Deno.writeFile(join(folder, "data.bin"), pseudoRandomBytes(700_000));
  const args = ["--fragment-size", "320KiB", "data.bin", "me:data.bin"];
  const upload = () => run(network, "put-large", args, { GRAPH_ACCESS_TOKEN: sandbox.issueToken() });
  sandbox.addFault({ service: "storage", method: "PUT", nth: 2, drop: true });
  proxy.tunnelsLeft = 2; // one to Graph and one to storage
  const stopped = await upload();
  assertEquals(stopped.code, 8, stopped.stderr);
  assertMatch(
    stopped.stderr,
    /the proxy .*refused its user name and password.*327680 of 700000 bytes.*run the same command again/,
  );
  proxy.tunnelsLeft = Infinity;
  const resumed = await upload();
  assertEquals(resumed.code, 0, resumed.stderr);
  const sent = sandbox.requests.filter(({ method, status }) => method === "PUT" && status > 0);
  assertEquals(sent.map(({ requestBytes }) => requestBytes), [327_680, 327_680, 44_640]);
});

Deno.test("sign-in and the doctor explain failures of a proxy or certificate, and name the proxy", async () => {
  await using network = await startCompanyNetwork("service");
  const { proxy } = network;
  const wrong = { HTTPS_PROXY: proxy.url.replace("user:", "other:") };
  const signIn = await run(network, "whoami", ["--prompt"], wrong);
  assertEquals(signIn.code, 8);
  assertMatch(
    signIn.stderr,
    new RegExp(`^whoami: .*the proxy ${proxy.host} refused its user name and password`, "m"),
  );
  const untrusted = await run(network, "whoami", ["--prompt"], { DENO_CERT: undefined });
  assertEquals(untrusted.code, 8);
  assertMatch(untrusted.stderr, /^whoami: .*invalid peer certificate.*export DENO_CERT=/m);
  const doctor = await run(network, "whoami", ["--check"], wrong);
  assertEquals(doctor.code, 4, doctor.stdout);
  assertMatch(doctor.stdout, new RegExp(`the proxy ${proxy.host} refused its user name and password`));
});
