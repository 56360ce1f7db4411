/**
 * App-only credentials in the settings: ours, and those of the variables that Azure's tools share.
 *
 * @module
 */
import { isGuid, isJsonObject, parseJsonObject } from "./json.ts";
import { ifExists } from "./local/local_file.ts";
import { join } from "./std.ts";

/** Where an app-only credential is: in a file, or as text in the variable itself. */
export interface AppCredentialSetting {
  kind: "secret" | "certificate" | "federated token";
  variable: string;
  file?: string | undefined;
  text?: string | undefined;
}

/** The variables of Azure's tools that count (https://learn.microsoft.com/javascript/api/@azure/identity). */
export const AZURE_VARIABLES: readonly string[] = [
  "AZURE_CLIENT_ID",
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
];

/** The first credential that is set. */
export function firstCredential(candidates: AppCredentialSetting[]): AppCredentialSetting | undefined {
  return candidates.find(({ file, text }) => file || text);
}

/** An app registration with its credential from Azure's variables; `undefined` where they are no complete set. */
export function readAzureVariables(env: (name: string) => string | undefined) {
  const [clientId = "", tenantId = "", text, certificate, token] = AZURE_VARIABLES.map(env);
  const appCredential = firstCredential([ // in the order of Azure's tools
    { kind: "secret", variable: "AZURE_CLIENT_SECRET", text },
    { kind: "certificate", variable: "AZURE_CLIENT_CERTIFICATE_PATH", file: certificate },
    { kind: "federated token", variable: "AZURE_FEDERATED_TOKEN_FILE", file: token },
  ]);
  return isGuid(clientId) && isGuid(tenantId) && appCredential
    ? { clientId, tenantId, appCredential }
    : undefined;
}

/**
 * Whether a user has signed in on this machine, with any app registration.
 *
 * @param clientId The app whose own encrypted cache does not count: it may hold only the token of the app.
 */
export async function isUserSignedIn(state: string, clientId: string): Promise<boolean> {
  for (const { name } of await ifExists(Array.fromAsync(Deno.readDir(state))) ?? []) {
    if (!/^tokens-.+\.json$/.test(name)) continue;
    const text = await ifExists(Deno.readTextFile(join(state, name)));
    const content = parseJsonObject(text?.trim() || "{}");
    const isReadable = content && !("graphScriptsTokenCache" in content);
    if (!isReadable && !name.includes(clientId)) return true;
    const tokens = content?.RefreshToken; // an app has none
    if (isJsonObject(tokens) && Object.keys(tokens).length > 0) return true;
  }
  return false;
}
