#!/usr/bin/env -S deno run -A
/** `deno task sandbox`: a loopback Microsoft 365 to rehearse against. Prints the environment that points scripts at it. */

import { parseArgs } from "@std/cli/parse-args";
import { type AppCredential, writeAppCredentials } from "./app_credentials.ts";
import { parseFaultRules } from "./fault_file.ts";
import { type FaultName, isFaultName, KNOWN_FAULTS, listKnownFaults } from "./known_faults.ts";
import { SIGN_IN_AUDIENCES } from "./login/authorities.ts";
import { type FaultRule, type SandboxOptions, startSandbox } from "./mod.ts";

const HELP = `Usage: deno task sandbox [options]

Starts a loopback Entra ID, Microsoft Graph and storage with a small tenant "contoso", prints the
environment that points the scripts at it, then "# ready", and runs until it is interrupted.

Options:
  --approve             approve every device code at once; otherwise its /devicelogin page is used
  --app[=certificate]   print the environment of an app that works by itself, with its client secret in a
                        file, or its certificate and key
  --audience NAME       whose accounts the app registration takes (signInAudience of its manifest)
  --port N              first of three consecutive ports (default: three free ones)
  --fault NAME[,NAME…]  known faults by name, also given several times; --fault help lists them
  --faults FILE         scripted faults: a JSON array of rules
  --token-life SECONDS  life of access tokens (default: 3600)
  --log FILE            append one JSON line a request
  --help                show this help
`;

/** A wrong command line. */
class UsageError extends Error {
  override name = "UsageError";
}

const BOOLEAN_OPTIONS = ["approve", "help"];
const STRING_OPTIONS = ["app", "audience", "port", "faults", "token-life", "log"];

/** What a command line asks for. */
interface Order {
  readonly options: SandboxOptions;
  readonly app: AppCredential | undefined;
}

/** Reads the command line; a text when only that is to be printed. @throws {UsageError} */
async function orderFrom(args: string[]): Promise<Order | string> {
  const { names, rest } = takeFaultNames(args);
  const parsed: Record<string, unknown> = parseArgs(rest, {
    boolean: BOOLEAN_OPTIONS,
    string: [...STRING_OPTIONS, "_"],
    alias: {},
  });
  if (parsed["help"] === true) return HELP;
  checkNames(parsed);
  if (names.includes("help")) return listKnownFaults();
  const options: SandboxOptions = { approve: parsed["approve"] === true, fault: names.map(faultNamed) };
  const port = text(parsed, "port");
  if (port !== undefined) options.port = wholeNumber("--port", port, 1, 65_533);
  const life = text(parsed, "token-life");
  if (life !== undefined) options.tokenLifeSeconds = wholeNumber("--token-life", life, 1, 86_400);
  const log = text(parsed, "log");
  if (log !== undefined) options.logFile = log;
  const faults = text(parsed, "faults");
  if (faults !== undefined) options.faults = await readFaults(faults);
  const audience = text(parsed, "audience");
  if (audience !== undefined) options.signInAudience = oneOf("--audience", SIGN_IN_AUDIENCES, audience);
  return { options, app: appCredential(parsed["app"]) };
}

/** `--app` by itself stands for the secret. */
function appCredential(value: unknown): AppCredential | undefined {
  if (value === undefined) return undefined;
  return oneOf<AppCredential>("--app", ["secret", "certificate"], value === "" ? "secret" : String(value));
}

function oneOf<Name extends string>(option: string, names: readonly Name[], value: string): Name {
  const name = names.find((name) => name === value);
  if (name === undefined) throw new UsageError(`${option} takes one of ${names.join(", ")}, not "${value}"`);
  return name;
}

/** Takes `--fault NAME[,NAME…]` out of the arguments, however often it is there: the parser keeps one value only. */
function takeFaultNames(args: readonly string[]): { names: string[]; rest: string[] } {
  const names: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    const value = arg === "--fault" ? args[++index] : /^--fault=(.*)$/s.exec(arg)?.[1];
    if (arg !== "--fault" && value === undefined) rest.push(arg);
    else if (!value || value.startsWith("-")) throw new UsageError("--fault takes a value");
    else names.push(...value.split(",").map((name) => name.trim()).filter(Boolean));
  }
  return { names, rest };
}

function faultNamed(name: string): FaultName {
  if (isFaultName(name)) return name;
  throw new UsageError(`there is no fault "${name}"; there are ${Object.keys(KNOWN_FAULTS).join(", ")}`);
}

function checkNames(parsed: Record<string, unknown>): void {
  const [stray] = parsed["_"] as unknown[];
  if (stray !== undefined) throw new UsageError(`unexpected argument: ${stray}`);
  for (const name of Object.keys(parsed)) {
    if (name === "_" || BOOLEAN_OPTIONS.includes(name) || STRING_OPTIONS.includes(name)) continue;
    throw new UsageError(`unknown option: ${name.length > 1 ? "--" : "-"}${name}`);
  }
}

function text(parsed: Record<string, unknown>, name: string): string | undefined {
  const value = parsed[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value)) throw new UsageError(`--${name} is given more than once`);
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} takes a value`);
  return value;
}

async function readFaults(file: string): Promise<FaultRule[]> {
  try {
    return parseFaultRules(await Deno.readTextFile(file));
  } catch (error) {
    throw new UsageError(`--faults ${file}: ${(error as Error).message}`);
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`);
}

/** A word a POSIX shell reads back unchanged. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs the sandbox until SIGINT (130) or SIGTERM (0). @returns the exit code */
export async function main(args: string[]): Promise<number> {
  let order: Order | string;
  try {
    order = await orderFrom(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`sandbox: ${error.message} (try --help)`);
    return 2;
  }
  if (typeof order === "string") {
    await print(order);
    return 0;
  }
  const { options, app } = order;
  const interrupted = untilInterrupted();
  let sandbox;
  try {
    sandbox = await startSandbox(options);
  } catch (error) {
    say(`sandbox: cannot start: ${(error as Error).message}`);
    return 1;
  }
  const env = { ...sandbox.env, ...(app === undefined ? {} : await writeAppCredentials(sandbox, app)) };
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`);
  await print(`${lines.join("")}# ready\n`);
  say(
    options.approve
      ? "Device codes are approved by themselves."
      : `Type device codes at ${sandbox.loginOrigin}/devicelogin`,
  );
  say("Stop with Ctrl+C.");
  const code = await interrupted;
  await sandbox.close();
  return code;
}

function untilInterrupted(): Promise<number> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGINT", () => resolve(130));
    // Windows knows no SIGTERM.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => resolve(0));
  });
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

function say(line: string): void {
  // deno-lint-ignore no-console
  console.error(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
