/** App-only credentials in files, as scheduled jobs keep them. */

import { join } from "node:path";
import type { Sandbox } from "./mod.ts";

export type AppCredential = "secret" | "certificate";

/**
 * Writes credentials of the sandbox's app into its folder, which is deleted when the sandbox closes.
 *
 * @returns the environment variables that select them
 */
export async function writeAppCredentials(
  { app, env }: Pick<Sandbox, "app" | "env">,
  credential: AppCredential,
): Promise<Record<string, string>> {
  const home = env["GRAPH_SCRIPTS_HOME"]!;
  if (credential === "secret") {
    const file = join(home, "client-secret");
    await Deno.writeTextFile(file, app.clientSecret, { createNew: true, mode: 0o600 });
    return { GRAPH_CLIENT_ID: app.clientId, GRAPH_CLIENT_SECRET_FILE: file };
  }
  const { certificate, privateKey } = app.newCertificate();
  const file = join(home, "client-certificate.pem");
  await Deno.writeTextFile(file, certificate + privateKey, { createNew: true, mode: 0o600 });
  return { GRAPH_CLIENT_ID: app.clientId, GRAPH_CLIENT_CERTIFICATE_FILE: file };
}
