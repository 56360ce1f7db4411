/** The isolated half of `deno task clients`: takes a client through the steps, and prints the results as JSON. */

import { join } from "../../lib/std.ts";
import type { Certificate } from "../sandbox/login/certificate.ts";
import type { Client, Workplace } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { packageEnvironment } from "./install.ts";
import { runProgram } from "./programs.ts";
import { startNamedSandbox } from "./service_names.ts";
import { isPossible, STEP_NAMES, type StepName, STEPS } from "./steps.ts";

/** How a step went. */
export type Result = "passed" | "failed" | "impossible";

/** By step; there are none after a failed sign-in. */
export type Results = Partial<Record<StepName, Result>>;

async function main([folder, packages, name]: string[]): Promise<void> {
  const authority: Certificate = JSON.parse(await Deno.readTextFile(join(folder!, "authority.json")));
  const client = CLIENTS.find((client) => client.name === name)!;
  const home = join(folder!, client.name);
  await Deno.mkdir(home);
  await using sandbox = await startNamedSandbox(authority, client.sandbox);
  const workplace = newWorkplace(sandbox, home, packages!, join(folder!, "ca.pem"));
  const results = await rehearse(client, workplace);
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(results)));
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
async function rehearse(client: Client, workplace: Workplace): Promise<Results> {
  const { sandbox } = workplace;
  const rehearsal = { client, workplace, actions: client.actions(workplace) };
  const results: Results = {};
  for (const name of STEP_NAMES) {
    if (!isPossible(name, rehearsal)) {
      results[name] = "impossible";
      continue;
    }
    const before = sandbox.requests.length;
    const failure = await STEPS[name](rehearsal).then(() => undefined, String);
    sandbox.clearFaults();
    results[name] = failure === undefined ? "passed" : "failed";
    const requests = sandbox.requests.slice(before);
    if (failure === undefined) {
      await report(`${client.name}: ${name}: ${requests.length} requests\n`);
      continue;
    }
    const refused = requests.filter(({ status }) => status === 0 || status >= 400)
      .map(({ method, service, path, status }) => `  ${status} ${method} ${service} ${path}\n`);
    await report(`${client.name}: ${name} FAILED: ${failure}\n${refused.slice(0, 10).join("")}`);
    if (name === "sign-in") break;
  }
  return results;
}

async function report(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(text));
}

if (import.meta.main) await main(Deno.args);
