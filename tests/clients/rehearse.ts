/** The inner half of `deno task clients`: takes each client through the steps and prints the table. */

import { join } from "../../lib/std.ts";
import type { Certificate } from "../sandbox/login/certificate.ts";
import type { Client, Workplace } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { packageEnvironment } from "./install.ts";
import { runProgram } from "./programs.ts";
import { startServiceNames } from "./service_names.ts";
import { isPossible, type StepName, STEPS } from "./steps.ts";

/** How a step went; the text tells why it failed. */
type Result = "passed" | "cannot" | { readonly failure: string };

const NAMES = Object.keys(STEPS) as StepName[];

async function main([folder, packages, ...names]: string[]): Promise<number> {
  const authority: Certificate = JSON.parse(await Deno.readTextFile(join(folder!, "authority.json")));
  const table: [client: string, results: Map<StepName, Result>][] = [];
  for (const client of CLIENTS.filter(({ name }) => names.includes(name))) {
    const home = join(folder!, client.name);
    await Deno.mkdir(home);
    await using network = await startServiceNames(authority, client.sandbox);
    const workplace = newWorkplace(network.sandbox, home, packages!, join(folder!, "ca.pem"));
    table.push([client.name, await rehearse(client, workplace)]);
  }
  await print(`\n${toMarkdown(table)}`);
  return table.some(([, results]) => [...results.values()].some((result) => typeof result === "object"))
    ? 1
    : 0;
}

function newWorkplace(
  sandbox: Workplace["sandbox"],
  folder: string,
  packages: string,
  ca: string,
): Workplace {
  const env = {
    ...packageEnvironment(packages),
    HOME: folder,
    LANG: "C.UTF-8",
    NODE_EXTRA_CA_CERTS: ca,
    GRAPH_CLIENT_ID: sandbox.env["GRAPH_CLIENT_ID"]!,
    GRAPH_TENANT_ID: sandbox.env["GRAPH_TENANT_ID"]!,
  };
  return {
    sandbox,
    folder,
    packages,
    run: (program, args, onText = () => {}) => runProgram({ program, args, env, cwd: folder, onText }),
  };
}

/** Takes a client through all steps, also those after a failure; without a sign-in there are none. */
async function rehearse(client: Client, workplace: Workplace): Promise<Map<StepName, Result>> {
  const rehearsal = { client, workplace, actions: client.actions(workplace) };
  const results = new Map<StepName, Result>();
  for (const name of NAMES) {
    if (!isPossible(name, rehearsal)) {
      results.set(name, "cannot");
      continue;
    }
    const before = workplace.sandbox.requests.length;
    const result = await STEPS[name](rehearsal).then(
      () => "passed" as const,
      (error) => ({ failure: String(error) }),
    );
    results.set(name, result);
    workplace.sandbox.clearFaults();
    const requests = workplace.sandbox.requests.slice(before);
    if (result === "passed") {
      await print(`${client.name}: ${name}: ${requests.length} requests\n`);
      continue;
    }
    const refused = requests.filter(({ status }) => status === 0 || status >= 400)
      .map(({ method, service, path, status }) => `  ${status} ${method} ${service} ${path}\n`);
    await print(`${client.name}: ${name} FAILED: ${result.failure}\n${refused.slice(0, 10).join("")}`);
    if (name === "sign-in") break;
  }
  return results;
}

/** A table of clients and steps. */
function toMarkdown(table: readonly [string, ReadonlyMap<StepName, Result>][]): string {
  const mark = (result: Result | undefined) =>
    result === undefined ? "not run" : result === "passed" ? "yes" : result === "cannot" ? "–" : "**no**";
  const rows = [
    ["client", ...NAMES],
    ["client", ...NAMES].map(() => "---"),
    ...table.map(([client, results]) => [client, ...NAMES.map((name) => mark(results.get(name)))]),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
