#!/usr/bin/env -S deno run -A
/** `deno task sandbox`: a loopback Microsoft 365 for rehearsals. Prints the environment that points scripts at it. */

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { writeAppCredentials } from "./app_credentials.ts";
import { type Command, DEFAULT_PORT, parseCommand, UsageError } from "./command_line.ts";
import { type SandboxOptions, startSandbox, TenantDataError } from "./mod.ts";

/** Quotes a word for a POSIX shell. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs the sandbox until SIGINT (130) or SIGTERM (0). @returns the exit code */
export async function main(args: string[]): Promise<number> {
  let command: Command | string;
  try {
    command = await parseCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeLine(`sandbox: ${error.message} (try --help)`);
    return 2;
  }
  if (typeof command === "string") {
    await print(command);
    return 0;
  }
  const { options, app, ca } = command;
  const interrupted = untilInterrupted();
  let sandbox;
  try {
    sandbox = await startSandbox({ ...options, home: homeFolder(options.state) });
  } catch (error) {
    if (error instanceof TenantDataError) {
      writeLine(`sandbox: ${error.message}`);
      return 2;
    }
    writeLine(`sandbox: cannot start: ${whyNotStarted(error as Error & { code?: string }, options)}`);
    return 1;
  }
  const env = {
    ...sandbox.env,
    ...(app === undefined ? {} : await writeAppCredentials(sandbox, app)),
    ...(ca === undefined ? {} : trusting(ca)),
  };
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`);
  await print(`${lines.join("")}# ready\n`);
  if (options.tls?.hostNames) {
    writeLine(
      "For the hosts file (/etc/hosts, or drivers\\etc\\hosts in Windows' system folder) until you stop:",
    );
    for (const line of sandbox.hostsLines) writeLine(line);
  }
  writeLine(
    options.approve
      ? "Device codes are approved automatically."
      : `Type device codes at ${sandbox.loginOrigin}/devicelogin`,
  );
  writeLine(`See what happens at ${sandbox.loginOrigin}/, and stop with Ctrl+C.`);
  const code = await interrupted;
  await sandbox.close();
  return code;
}

function whyNotStarted({ code, message }: Error & { code?: string }, options: SandboxOptions): string {
  const { port = DEFAULT_PORT, tls } = options;
  if (code === "EACCES") return `only an administrator may use port ${port}; choose another with --port N`;
  if (code === "ENOTDIR" || code === "EEXIST") return `--state ${options.state} is not a folder`;
  if (code !== "EADDRINUSE") return message;
  return tls?.hostNames
    ? `port ${port} is in use; choose another with --port N`
    : `one of the ports ${port} to ${port + 2} is in use; choose others with --port N`;
}

/** Variables with which clients trust an authority, and no other. */
function trusting(ca: string): Record<string, string> {
  const file = resolve(ca);
  const names = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "DENO_CERT"];
  return Object.fromEntries(names.map((name) => [name, file]));
}

/** A folder below the state folder of the scripts, which their permissions include; always the same for a kept state. */
function homeFolder(state: string | undefined): string {
  const name = state === undefined
    ? crypto.randomUUID()
    : createHash("sha256").update(resolve(state)).digest("hex").slice(0, 16);
  const windows = Deno.build.os === "windows";
  const base = windows ? Deno.env.get("LOCALAPPDATA") : Deno.env.get("HOME");
  const below = windows ? ["graph-scripts"] : [".local", "state", "graph-scripts"];
  return join(base ?? tmpdir(), ...below, `sandbox-${name}`);
}

function untilInterrupted(): Promise<number> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGINT", () => resolve(130));
    // Windows has no SIGTERM.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => resolve(0));
  });
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

function writeLine(line: string): void {
  // deno-lint-ignore no-console
  console.error(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
