/**
 * `deno task clients`: other people's clients of Microsoft Graph, unchanged, against the sandbox.
 *
 * It installs them into a folder and takes each through the steps in isolated processes (`isolation.ts`), where the
 * names of the service lead to a sandbox.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { join, resolve } from "../../lib/std.ts";
import type { Client } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { install } from "./install.ts";
import { prepareIsolation, runIsolated } from "./isolation.ts";
import type { Results } from "./rehearse.ts";
import { toMarkdown } from "./table.ts";

const HELP = `Usage: deno task clients [--packages FOLDER] [CLIENT…]

Runs other clients of Microsoft Graph against the sandbox, and prints a table of clients and steps.
Installs them into a temporary folder, or into FOLDER, where they are kept for the next time.
Needs Linux, and the commands unshare, ip, apt-get, dpkg, npm, node and /usr/bin/python3.
The exit code is 1 if a step fails; a client that cannot be installed is skipped.

Clients: ${CLIENTS.map(({ name }) => name).join(", ")}
`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { packages: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const unknown = positionals.find((name) => !CLIENTS.some((client) => client.name === name));
  if (values.help || unknown !== undefined) {
    await Deno.stdout.write(new TextEncoder().encode(HELP));
    return unknown === undefined ? 0 : 2;
  }
  const clients = CLIENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupt.abort());
  }
  const folder = await Deno.makeTempDir({ prefix: "graph-clients-" });
  try {
    await prepareIsolation(folder);
    const packages = values.packages ? resolve(values.packages) : join(folder, "packages");
    return await rehearseAll(clients, { folder, packages, signal: interrupt.signal });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Places {
  readonly folder: string;
  readonly packages: string;
  readonly signal: AbortSignal;
}

/** Installs one client after the other, while those that are installed are at work. @returns the exit code */
async function rehearseAll(clients: readonly Client[], places: Places): Promise<number> {
  const rehearsals: Promise<{ client: string; results: Results }>[] = [];
  for (const { name, packages } of clients) {
    const installed = join(places.packages, name);
    try {
      await install(packages, installed, places.signal);
      const rehearsal = rehearse(name, installed, places);
      rehearsal.catch(() => {}); // It is awaited below.
      rehearsals.push(rehearsal);
    } catch (error) {
      if (places.signal.aborted) break;
      await Deno.stderr.write(new TextEncoder().encode(`skipped ${name}: ${(error as Error).message}\n`));
    }
  }
  await Promise.allSettled(rehearsals);
  if (places.signal.aborted) return 130;
  const rows = await Promise.all(rehearsals);
  await Deno.stdout.write(new TextEncoder().encode(toMarkdown(rows)));
  return rows.some(({ results }) => Object.values(results).includes("failed")) ? 1 : 0;
}

async function rehearse(client: string, installed: string, { folder, signal }: Places) {
  const program = fileURLToPath(new URL("./rehearse.ts", import.meta.url));
  const deno = [Deno.execPath(), "run", "-q", "--cached-only", "--no-lock", "-A"];
  const results = await runIsolated([...deno, program, folder, installed, client], folder, signal);
  return { client, results: JSON.parse(results) as Results };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
