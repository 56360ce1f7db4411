/** Credentials of the app for unattended work in files, as a person keeps them for jobs. */

import { join } from "node:path";
import type { Sandbox } from "./mod.ts";

/** How the app signs in. */
export type AppCredential = "secret" | "certificate";

/**
 * Writes the credentials of the sandbox's app into its own folder, which goes when it is closed.
 *
 * @returns the variables that point scripts at them, in place of those for a person
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
