/**
 * App-only credentials in the settings: ours, and those of the variables that Azure's tools share.
 *
 * @module
 */
import { isGuid, isJsonObject, parseJsonObject } from "./json.ts";
import { ifExists } from "./local/local_file.ts";
import { join } from "./std.ts";

/** Where an app-only credential is: in a file, or in the variable itself. */
export type AppCredentialSetting =
  & { kind: "secret" | "certificate" | "federated token"; variable: string }
  & ({ file: string } | { text: string });

/** An app registration with its credential. */
export interface AppSettings {
  clientId: string;
  tenantId: string;
  appCredential: AppCredentialSetting;
}

/** The variables of Azure's tools that count (https://learn.microsoft.com/javascript/api/@azure/identity). */
export const AZURE_VARIABLES = [
  "AZURE_CLIENT_ID",
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
] as const;

/** Reads the variables of Azure's tools; `undefined` where they are no complete set. */
export function readAzureVariables(env: (name: string) => string | undefined): AppSettings | undefined {
  const [clientId = "", tenantId = "", text, certificate, token] = AZURE_VARIABLES.map((name) => env(name));
  if (!isGuid(clientId) || !isGuid(tenantId)) return undefined;
  // In the order of Azure's tools.
  const [, , variable, certificateVariable, tokenVariable] = AZURE_VARIABLES;
  const appCredential: AppCredentialSetting | undefined = text
    ? { kind: "secret", variable, text }
    : certificate
    ? { kind: "certificate", variable: certificateVariable, file: certificate }
    : token
    ? { kind: "federated token", variable: tokenVariable, file: token }
    : undefined;
  return appCredential && { clientId, tenantId, appCredential };
}

/**
 * Whether a user has signed in on this machine, with any app registration.
 *
 * @param state The folder of the token caches.
 * @param clientId The app whose own encrypted cache does not count: it may hold only the token of the app.
 */
export async function isUserSignedIn(state: string, clientId: string): Promise<boolean> {
  const entries = await ifExists(Array.fromAsync(Deno.readDir(state))) ?? [];
  const caches = entries.filter(({ name }) => /^tokens-.+\.json$/.test(name));
  for (const { name } of caches) {
    const text = await ifExists(Deno.readTextFile(join(state, name))) ?? "";
    const content = parseJsonObject(text.trim() || "{}");
    const isReadable = content && !("graphScriptsTokenCache" in content);
    if (!isReadable && !name.includes(clientId)) return true;
    const tokens = content?.RefreshToken; // an app has none
    if (isJsonObject(tokens) && Object.keys(tokens).length > 0) return true;
  }
  return false;
}
