/**
 * `deno task clients`: other people's clients of Microsoft Graph, unchanged, against the sandbox.
 *
 * It installs them into a folder, then starts itself again in namespaces of its own, where the names of the service lead
 * to the loopback interface, a private authority is trusted, and there is no other network.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "../../lib/std.ts";
import { newCertificate } from "../sandbox/login/certificate.ts";
import type { Client } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { install } from "./install.ts";
import { ADDRESSES } from "./service_names.ts";

const HELP = `Usage: deno task clients [--packages FOLDER] [CLIENT…]

Runs other clients of Microsoft Graph against the sandbox, and prints a table of clients and steps.
Installs them into a temporary folder, or into FOLDER, where they are kept for the next time.
Needs Linux, and the commands unshare, ip, apt-get, dpkg, npm, node and /usr/bin/python3.

Clients: ${CLIENTS.map(({ name }) => name).join(", ")}
`;

const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { packages: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const unknown = positionals.find((name) => !CLIENTS.some((client) => client.name === name));
  if (unknown !== undefined) throw new Error(`there is no client "${unknown}"; try --help`);
  if (values.help) {
    await Deno.stdout.write(new TextEncoder().encode(HELP));
    return 0;
  }
  const clients = CLIENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const folder = await Deno.makeTempDir({ dir: tmpdir(), prefix: "graph-clients-" });
  try {
    return await runIn(folder, values.packages ?? join(folder, "packages"), clients);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runIn(folder: string, packages: string, clients: readonly Client[]): Promise<number> {
  const names: string[] = [];
  for (const client of clients) {
    try {
      await install(client.packages, packages);
      names.push(client.name);
    } catch (error) {
      await Deno.stderr.write(
        new TextEncoder().encode(`skipped ${client.name}: ${(error as Error).message}\n`),
      );
    }
  }
  const authority = newCertificate();
  const hosts = Object.entries(ADDRESSES).map(([name, address]) => `${address} ${name}\n`);
  const trusted = await Deno.readTextFile(SYSTEM_AUTHORITIES).catch(() => "");
  await Deno.writeTextFile(join(folder, "hosts"), `127.0.0.1 localhost\n${hosts.join("")}`);
  await Deno.writeTextFile(join(folder, "ca.pem"), authority.certificate);
  await Deno.writeTextFile(join(folder, "trusted.pem"), trusted + authority.certificate);
  await Deno.writeTextFile(join(folder, "authority.json"), JSON.stringify(authority));
  const program = fileURLToPath(new URL("./rehearse.ts", import.meta.url));
  const setUp = [
    "ip link set lo up",
    `mount --bind "$1/hosts" /etc/hosts`,
    `mount --bind "$1/trusted.pem" ${SYSTEM_AUTHORITIES}`,
    "shift",
    `exec "$@"`,
  ].join(" && ");
  const run = [Deno.execPath(), "run", "-q", "--cached-only", "-A", program, folder, packages, ...names];
  const { code } = await new Deno.Command("unshare", {
    args: ["--map-root-user", "--net", "--mount", "sh", "-c", setUp, "sh", folder, ...run],
  }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
