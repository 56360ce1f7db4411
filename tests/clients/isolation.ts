/**
 * Processes in Linux namespaces of their own: the names of the service lead to the loopback interface, a private
 * authority is trusted, there is no other network, and all that is started ends with the first process.
 */

import { join } from "../../lib/std.ts";
import { newCertificate } from "../sandbox/login/certificate.ts";
import { runUnlessAborted } from "./programs.ts";
import { SERVICE_NAMES } from "./service_names.ts";

const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";
const NAMESPACES = "--map-root-user --net --mount --mount-proc --pid --fork --kill-child".split(" ");
const SET_UP = [
  "ip link set lo up",
  `mount --bind "$1/hosts" /etc/hosts`,
  `mount --bind "$1/trusted.pem" ${SYSTEM_AUTHORITIES}`,
  "shift",
  `exec "$@"`,
].join(" && ");

/** Writes the files that isolated processes see in place of the machine's: names and authorities. */
export async function prepareIsolation(folder: string): Promise<void> {
  const authority = newCertificate();
  const trusted = await Deno.readTextFile(SYSTEM_AUTHORITIES).catch(() => "");
  await Deno.writeTextFile(join(folder, "hosts"), `127.0.0.1 localhost ${SERVICE_NAMES.join(" ")}\n`);
  await Deno.writeTextFile(join(folder, "ca.pem"), authority.certificate);
  await Deno.writeTextFile(join(folder, "trusted.pem"), trusted + authority.certificate);
  await Deno.writeTextFile(join(folder, "authority.json"), JSON.stringify(authority));
}

/** Runs a command isolated, with the files of this folder. @returns its standard output */
export async function runIsolated(
  command: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const unshare = new Deno.Command("unshare", {
    args: [...NAMESPACES, "sh", "-c", SET_UP, "sh", folder, ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { success, stdout } = await runUnlessAborted(unshare, signal);
  if (!success) throw new Error("isolated processes do not run here");
  return new TextDecoder().decode(stdout);
}
