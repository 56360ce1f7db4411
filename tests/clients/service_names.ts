/** A sandbox under the names of the service, for clients that cannot be pointed elsewhere. */

import { type Certificate, newCertificate } from "../sandbox/login/certificate.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/mod.ts";

/** The names that a sandbox of contoso has. */
export const SERVICE_NAMES: readonly string[] = [
  "login.microsoftonline.com",
  "graph.microsoft.com",
  "contoso.sharepoint.com",
  "contoso-my.sharepoint.com",
];

/** The redirect address that Entra suggests to desktop apps. */
export const NATIVE_CLIENT = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/** Starts a sandbox at port 443, with a certificate of this authority for {@linkcode SERVICE_NAMES}. */
export function startNamedSandbox(issuer: Certificate, options: SandboxOptions = {}): Promise<Sandbox> {
  const { certificate: cert, privateKey: key } = newCertificate({ issuer, hosts: [...SERVICE_NAMES] });
  return startSandbox({
    ...options,
    approve: true,
    pollIntervalSeconds: 0,
    pendingPolls: 0,
    signInAudience: "AzureADMultipleOrgs",
    port: 443,
    tls: { cert, key, hostNames: true },
  });
}
