/**
 * A company network: the only way out is a proxy with a password, and TLS ends at a gateway with a certificate of the
 * company's own authority. Behind the real names of the service is a sandbox.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { type Haystack, leaksIn } from "../cli/secret_scan.ts";
import { join } from "../../lib/std.ts";
import { newCertificate } from "../sandbox/login/certificate.ts";
import { type Sandbox, startSandbox } from "../sandbox/mod.ts";
import { pseudoRandomBytes, runProcess, type ScriptName } from "../test_env.ts";
import { SERVICE_NAMES } from "../clients/service_names.ts";
import { ForwardProxy } from "./forward_proxy.ts";

/** Characters that must be encoded in the address of a proxy. */
export const CREDENTIALS = { user: "user", password: "p@ss:word/1" };

/** A sandbox, the proxy before it, and the certificate of the company. */
export interface CompanyNetwork extends AsyncDisposable {
  sandbox: Sandbox;
  proxy: ForwardProxy;
  folder: string;
  /** The certificate of the authority, as a PEM file. */
  ca: string;
  /** The variables with which scripts reach the sandbox. */
  env: Record<string, string>;
}

/** Starts a sandbox behind a proxy, either under the names of the service or as `https://localhost`. */
export async function startCompanyNetwork(names: "service" | "localhost"): Promise<CompanyNetwork> {
  const authority = newCertificate();
  const server = newCertificate({ issuer: authority, hosts: [...SERVICE_NAMES, "localhost"] });
  const sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    tls: {
      cert: server.certificate,
      key: server.privateKey,
      ...(names === "service" && { hostNames: true, publicPort: 443 }),
    },
  });
  const { ports } = sandbox;
  const routes = names === "service"
    ? Object.fromEntries(SERVICE_NAMES.map((name) => [`${name}:443`, ports.graph]))
    : Object.fromEntries(Object.values(ports).map((port) => [`localhost:${port}`, port]));
  const proxy = new ForwardProxy({ ...CREDENTIALS, routes });
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const ca = join(folder, "ca.pem");
  await Deno.writeTextFile(ca, authority.certificate);
  return {
    sandbox,
    proxy,
    folder,
    ca,
    env: { ...sandbox.env, HTTPS_PROXY: proxy.url, DENO_CERT: ca },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await sandbox.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * Signs in with a device code, lists, uploads and downloads; every request must come through the proxy.
 *
 * @param line The command line of a script or a compiled program.
 */
export async function useAllScripts(
  network: Omit<CompanyNetwork, keyof AsyncDisposable>,
  line: (script: ScriptName, args: string[]) => string[],
): Promise<void> {
  const { sandbox, proxy, folder, env } = network;
  const printed: Haystack[] = [];
  const works = async (script: ScriptName, ...args: string[]) => {
    const { code, stdout, stderr } = await runProcess(line(script, ["--verbose", ...args]), {
      env,
      cwd: folder,
    });
    assertEquals(code, 0, `${script} ${args.join(" ")}: ${stderr}`);
    printed.push({ from: script, text: stdout + stderr });
    return stdout + stderr;
  };
  const bytes = pseudoRandomBytes(700_000);
  await Deno.writeFile(join(folder, "data.bin"), bytes);

  assertMatch(await works("whoami", "--prompt"), /Adele Vance[^]*enter the code \w+/);
  assertMatch(await works("ls", "General"), /Agenda\.md\n/);
  // A retry uses the same proxy and certificates.
  sandbox.addFault({ service: "graph", status: 503, headers: { "Retry-After": "0" } });
  assertMatch(await works("put", "data.bin", "General/small.bin"), /^created /m);
  assertMatch(
    await works("put-large", "--fragment-size", "320KiB", "data.bin", "General/large.bin"),
    /verified/,
  );
  await works("get", "General/large.bin", "copy.bin");
  assertEquals(await Deno.readFile(join(folder, "copy.bin")), bytes);

  const fragments = sandbox.requests.filter(({ service, method }) =>
    service === "storage" && method === "PUT"
  );
  assertEquals(fragments.length, 3);
  assertEquals([...new Set(proxy.requests)].toSorted(), [
    "200 contoso.sharepoint.com:443",
    "200 graph.microsoft.com:443",
    "200 login.microsoftonline.com:443",
  ]);
  const connections = new Set(sandbox.requests.map(({ service, connection }) => `${service} ${connection}`));
  assert(connections.size <= proxy.requests.length, `${connections.size} connections: ${proxy.requests}`);
  // Only the code that the user types is meant to be seen.
  const secrets = sandbox.tenant.secrets().filter((secret) => !/^[A-Z0-9]{9}$/.test(secret));
  assertEquals(leaksIn(printed, [...secrets, ...proxy.secrets]), []);
}
