/** The command line of `deno task sandbox`. */

import { parseArgs } from "node:util";
import type { AppCredential } from "./app_credentials.ts";
import { parseFaultRules } from "./fault_file.ts";
import { type FaultName, knownFault, listKnownFaults } from "./known_faults.ts";
import { SIGN_IN_AUDIENCES } from "./login/authorities.ts";
import type { SandboxOptions, TlsOptions } from "./options.ts";
import { parseTenant } from "./tenant/tenant_data.ts";

const HELP = `Usage: deno task sandbox [options]

Starts a loopback Entra ID, Microsoft Graph and storage with a small tenant "contoso", prints the
environment that points the scripts at it, then "# ready", and runs until it is interrupted.

Options:
  --tenant FILE         people, sites, teams and files as JSON, instead of contoso
  --state FOLDER        keep files and sign-ins between runs
  --personal            sign in to a personal account
  --approve             approve every device code immediately, instead of on its /devicelogin page
  --app[=certificate]   print the environment for app-only sign-in, with a client secret (or a
                        certificate and key) in a file
  --audience NAME       accounts that the app registration accepts (signInAudience of its manifest)
  --redirect-uri URI    one more redirect URI of the app registration; may be repeated
  --port N              the first of three consecutive ports (default: 8400)
  --tls CERT KEY        listen with TLS, at https://localhost; PEM files, CERT with its authority
  --host-names          with --tls: serve the names of the service, at port 443 or --port, for clients
                        that cannot be pointed elsewhere; shows the lines for the hosts file
  --latency MS          delay everything, as a line with this round-trip time does
  --rate SIZE           bytes a second of each service in each direction, such as 25MB
  --fault NAME[,NAME…]  known faults by name; may be repeated; --fault help lists them
  --faults FILE         scripted faults: a JSON array of rules
  --lenient-storage     ignore bearer tokens at the storage host, which older clients send
  --token-life SECONDS  lifetime of access tokens (default: 3600)
  --log FILE            append one JSON line per request
  --help                show this help
`;

/** The scripts may connect to three ports from here on. */
export const DEFAULT_PORT = 8400;
/** Where clients of the service's own names connect. */
const HTTPS_PORT = 443;

/** The command line is wrong, and says how. */
export class UsageError extends Error {
  override name = "UsageError";
}

const OPTIONS = {
  tenant: { type: "string" },
  state: { type: "string" },
  personal: { type: "boolean" },
  approve: { type: "boolean" },
  app: { type: "boolean" }, // also takes a value, but only after "="
  audience: { type: "string" },
  "redirect-uri": { type: "string" },
  port: { type: "string" },
  tls: { type: "string" }, // takes a second value
  "host-names": { type: "boolean" },
  latency: { type: "string" },
  rate: { type: "string" },
  fault: { type: "string" },
  faults: { type: "string" },
  "lenient-storage": { type: "boolean" },
  "token-life": { type: "string" },
  log: { type: "string" },
  help: { type: "boolean" },
} as const;
type OptionName = keyof typeof OPTIONS;

/** What the command line asks for. */
export interface Command {
  readonly options: SandboxOptions;
  readonly app: AppCredential | undefined;
  /** The file that clients must trust. */
  readonly ca: string | undefined;
}

/** Parses the command line; returns a text that is only to be printed. @throws {UsageError} */
export async function parseCommand(args: string[]): Promise<Command | string> {
  const given = parse(args);
  if (given.has("help")) return HELP;
  const names = (given.get("fault") ?? []).flatMap((value) => value.split(",")).map((name) => name.trim());
  if (names.includes("help")) return listKnownFaults();
  const options: SandboxOptions = {
    approve: given.has("approve"),
    personal: given.has("personal"),
    fault: names.filter(Boolean).map(faultNamed),
    lenientStorage: given.has("lenient-storage"),
    redirectUris: (given.get("redirect-uri") ?? []).map(redirectUri),
  };
  const tenant = single(given, "tenant");
  if (tenant !== undefined) options.tenant = await readParsed("--tenant", tenant, parseTenant);
  const state = single(given, "state");
  if (state !== undefined) options.state = state;
  const tls = await tlsOptions(given);
  if (tls !== undefined) options.tls = tls;
  const port = single(given, "port");
  const defaultPort = tls?.hostNames ? HTTPS_PORT : DEFAULT_PORT;
  options.port = port === undefined ? defaultPort : wholeNumber("--port", port, 1, 65_533);
  const latency = single(given, "latency");
  const rate = single(given, "rate");
  if (latency !== undefined || rate !== undefined) {
    options.line = {
      latencyMs: latency === undefined ? 0 : wholeNumber("--latency", latency, 0, 60_000),
      bytesPerSecond: rate === undefined ? Infinity : size("--rate", rate),
    };
  }
  const life = single(given, "token-life");
  if (life !== undefined) options.tokenLifeSeconds = wholeNumber("--token-life", life, 1, 86_400);
  const log = single(given, "log");
  if (log !== undefined) options.logFile = log;
  const faults = single(given, "faults");
  if (faults !== undefined) options.faults = await readParsed("--faults", faults, parseFaultRules);
  const audience = single(given, "audience");
  if (audience !== undefined) options.signInAudience = oneOf("--audience", SIGN_IN_AUDIENCES, audience);
  const app = single(given, "app");
  if (app !== undefined && options.personal) {
    throw new UsageError("--app cannot be used with --personal: app-only sign-in needs an organization");
  }
  return {
    options,
    app: app === undefined
      ? undefined
      : oneOf<AppCredential>("--app", ["secret", "certificate"], app || "secret"),
    ca: given.get("tls")?.[0],
  };
}

async function tlsOptions(given: Map<OptionName, string[]>): Promise<TlsOptions | undefined> {
  const files = given.get("tls");
  const hostNames = given.has("host-names");
  if (hostNames && files === undefined) throw new UsageError("--host-names needs --tls CERT KEY");
  if (files === undefined) return undefined;
  if (files.length !== 2) throw new UsageError("--tls takes two files, a certificate and its key");
  // One after the other, so that the first that cannot be read is named.
  const cert = await readText("--tls", files[0]!);
  return { cert, key: await readText("--tls", files[1]!), hostNames };
}

/** The values of each option; "" for a switch. @throws {UsageError} */
function parse(args: string[]): Map<OptionName, string[]> {
  const { tokens } = parseArgs({
    args,
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<OptionName, string[]>();
  let previous: string | undefined;
  for (const token of tokens) {
    const isSecond = token.kind === "positional" && previous === "tls";
    previous = token.kind === "option" ? token.name : undefined;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (!isSecond) throw new UsageError(`unexpected argument: ${token.value}`);
      given.get("tls")!.push(token.value);
      continue;
    }
    const { name, rawName, value, inlineValue } = token;
    if (!isOption(name)) throw new UsageError(`unknown option: ${rawName}`);
    if (OPTIONS[name].type === "string" && (!value || (!inlineValue && value.startsWith("-")))) {
      throw new UsageError(`--${name} takes a value`);
    }
    if (OPTIONS[name].type === "boolean" && value !== undefined && name !== "app") {
      throw new UsageError(`--${name} takes no value`);
    }
    given.set(name, [...given.get(name) ?? [], value ?? ""]);
  }
  return given;
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function single(given: Map<OptionName, string[]>, name: OptionName): string | undefined {
  const [value, another] = given.get(name) ?? [];
  if (another !== undefined) throw new UsageError(`--${name} is given more than once`);
  return value;
}

/** Also `urn:ietf:wg:oauth:2.0:oob` or `myapp://auth`, but no fragment (RFC 6749 section 3.1.2). */
function redirectUri(text: string): string {
  if (URL.canParse(text) && new URL(text).hash === "") return text;
  throw new UsageError(`--redirect-uri takes a URI without a fragment, not "${text}"`);
}

function oneOf<Name extends string>(option: string, names: readonly Name[], value: string): Name {
  const name = names.find((name) => name === value);
  if (name === undefined) throw new UsageError(`${option} takes one of ${names.join(", ")}, not "${value}"`);
  return name;
}

function faultNamed(name: string): FaultName {
  try {
    knownFault(name as FaultName);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return name as FaultName;
}

async function readText(option: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${(error as Error).message}`);
  }
}

async function readParsed<T>(option: string, file: string, parse: (text: string) => T): Promise<T> {
  const text = await readText(option, file);
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${(error as Error).message}`);
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}

const UNITS: Record<string, number> = {
  ...{ "": 1, b: 1, kb: 1000, mb: 1000 ** 2, gb: 1000 ** 3 },
  ...{ kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 },
};

/** Bytes: `25MB`, `10MiB` or a bare number. */
function size(option: string, text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN);
  if (bytes >= 1) return bytes;
  throw new UsageError(`${option} takes bytes, such as 500KB, 10MiB or 25MB, not "${text}"`);
}
