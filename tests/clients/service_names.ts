/** A sandbox under the names of the service, for clients that cannot be pointed elsewhere. */

import { type Certificate, newCertificate } from "../sandbox/login/certificate.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/mod.ts";

/** The address on the loopback interface where each name of the service is served. */
export const ADDRESSES: Readonly<Record<string, string>> = {
  "login.microsoftonline.com": "127.0.0.2",
  "graph.microsoft.com": "127.0.0.3",
  "contoso.sharepoint.com": "127.0.0.4",
  "contoso-my.sharepoint.com": "127.0.0.4",
};

/** The redirect address that Entra suggests to desktop apps. */
export const NATIVE_CLIENT = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/** The relays in front of a sandbox, and the sandbox. */
export interface ServiceNames extends AsyncDisposable {
  readonly sandbox: Sandbox;
}

/** Serves a new sandbox at port 443 of {@linkcode ADDRESSES}, with a certificate of this authority. */
export async function startServiceNames(
  issuer: Certificate,
  options: SandboxOptions = {},
): Promise<ServiceNames> {
  const server = newCertificate({ issuer, hosts: Object.keys(ADDRESSES) });
  const [login, graph, storage] = Object.keys(ADDRESSES) as [string, string, string];
  const sandbox = await startSandbox({
    ...options,
    approve: true,
    pollIntervalSeconds: 0,
    pendingPolls: 0,
    signInAudience: "AzureADMultipleOrgs",
    redirectUris: ["http://localhost", NATIVE_CLIENT],
    tls: {
      cert: server.certificate,
      key: server.privateKey,
      origins: { login: `https://${login}`, graph: `https://${graph}`, storage: `https://${storage}` },
    },
  });
  const { ports } = sandbox;
  const listeners = [
    relay(ADDRESSES[login]!, ports.login),
    relay(ADDRESSES[graph]!, ports.graph),
    relay(ADDRESSES[storage]!, ports.storage),
  ];
  return {
    sandbox,
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) listener.close();
      await sandbox.close();
    },
  };
}

/** Relays port 443 of an address to a port of the sandbox; TLS passes unchanged. */
function relay(hostname: string, port: number): Deno.Listener {
  const listener = Deno.listen({ hostname, port: 443 });
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      for (const connection of [client, server]) connection.setNoDelay(true);
      // A side that breaks ends its connection only.
      client.readable.pipeTo(server.writable).catch(() => {});
      server.readable.pipeTo(client.writable).catch(() => {});
    }
  })();
  return listener;
}
