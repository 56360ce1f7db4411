/**
 * `deno task live --location LOCATION`: checks the protocol notes against the live service, for a person with a tenant.
 *
 * Settings and sign-in are those of the scripts. Standard output is a report without names and secrets; the exit code
 * is 1 if the service differs from the notes.
 *
 * @module
 */
import { denoHost, type Host, writeText } from "../../lib/cli/host.ts";
import { onTerminal, Output } from "../../lib/cli/output.ts";
import { abortOnInterrupt } from "../../lib/cli/run.ts";
import { connect } from "../../lib/connect.ts";
import { toGraphError } from "../../lib/local/local_error.ts";
import { parseArgs } from "../../lib/std.ts";
import { runLive } from "./live.ts";

const HELP = `Usage: deno task live --location LOCATION

Compares the live service with lib/graph/PROTOCOL.md: makes a folder of its own in LOCATION, an existing
folder as the scripts take it; uploads, replaces, interrupts, resumes, lists, downloads and removes files of
a dozen types and sizes, 30 MiB in all; then removes the folder, which goes to the recycle bin. Standard
output is a report without names and secrets.

Settings and sign-in are those of the scripts. Exit codes: 0 no difference, 1 differences, 2 wrong usage,
otherwise those of the scripts.
`;

/** Runs the checks and returns the exit code. */
export async function main(args: string[], host: Host = denoHost): Promise<number> {
  const { _: words, help, location, ...others } = parseArgs(args, {
    string: ["location", "_"],
    boolean: ["help"],
  });
  if (help === true) {
    writeText(host.stdout, HELP);
    return 0;
  }
  const unknown = [...Object.keys(others).map((name) => `--${name}`), ...words][0];
  if (unknown !== undefined || typeof location !== "string" || location === "") {
    const problem = unknown === undefined
      ? "--location is missing; nothing was done"
      : `unexpected ${unknown}`;
    writeText(host.stderr, `live: ${problem}\n${HELP}`);
    return 2;
  }
  return await check(location, host);
}

async function check(location: string, host: Host): Promise<number> {
  using interrupt = abortOnInterrupt(host);
  const progress = (step: string) => writeText(host.stderr, `live: ${step}\n`);
  try {
    const { report, surroundings } = await runLive({
      location,
      progress,
      connect: (signal) =>
        connect({
          env: host.env,
          http: host.http,
          access: "write",
          ...(host === denoHost ? onTerminal() : {}),
          signal: AbortSignal.any([interrupt.signal, ...(signal ? [signal] : [])]),
        }),
    });
    writeText(host.stdout, report.toText(surroundings));
    return report.differences.length === 0 ? 0 : 1;
  } catch (error) {
    const failure = toGraphError(error);
    const options = { json: false, quiet: false, verbose: false, failWhenClosed: false };
    new Output("live", options, host).error(failure);
    return failure.exitCode;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
