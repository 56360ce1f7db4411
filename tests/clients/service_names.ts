/** A sandbox under the names of the service, for clients that cannot be pointed elsewhere. */

import { type Certificate, newCertificate } from "../sandbox/login/certificate.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/mod.ts";

/** The address on the loopback interface where each name of the service is served. */
export const ADDRESSES: Readonly<Record<string, string>> = {
  "login.microsoftonline.com": "127.0.0.1",
  "graph.microsoft.com": "127.0.0.1",
  "contoso.sharepoint.com": "127.0.0.1",
  "contoso-my.sharepoint.com": "127.0.0.1",
};

/** The redirect address that Entra suggests to desktop apps. */
export const NATIVE_CLIENT = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/** A sandbox at port 443. */
export interface ServiceNames extends AsyncDisposable {
  readonly sandbox: Sandbox;
}

/** Serves a new sandbox at port 443 of {@linkcode ADDRESSES}, with a certificate of this authority. */
export async function startServiceNames(
  issuer: Certificate,
  options: SandboxOptions = {},
): Promise<ServiceNames> {
  const server = newCertificate({ issuer, hosts: Object.keys(ADDRESSES) });
  const sandbox = await startSandbox({
    ...options,
    approve: true,
    pollIntervalSeconds: 0,
    pendingPolls: 0,
    signInAudience: "AzureADMultipleOrgs",
    port: 443,
    tls: { cert: server.certificate, key: server.privateKey, hostNames: true },
  });
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.close() };
}
