/**
 * The config file: a JSON object of settings, in the platform's folder for configuration.
 *
 * @module
 */
import { join } from "./std.ts";
import { GraphError, usageError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import { ifExists } from "./local/local_file.ts";
import { checkFolder, ownUid, readAll, shellQuoted } from "./local/private_file.ts";

/** The name of the config file, in its folder. */
export const CONFIG_FILE = "graph-scripts.json";

/** What the config file needs to know of a setting. */
export interface FileSetting {
  /** The environment variable. */
  variable: string;
  /** Whether the config file may set it. @default true */
  inFile?: boolean;
  /** Whether it decides where tokens and files are sent. @default false */
  destination?: boolean;
}

/** The folders in which the platform keeps configuration and state. */
export function platformFolders(
  home: string | undefined,
  env: (name: string) => string | undefined,
): { config: string; state: string } {
  if (home) return { config: home, state: home };
  const folder = (base: string | undefined, ...below: string[]) => {
    if (base) return join(base, ...below, "graph-scripts");
    const why = "no home folder: HOME (on Windows: APPDATA, LOCALAPPDATA) is not set";
    throw usageError(why, "set GRAPH_SCRIPTS_HOME to a folder of yours");
  };
  if (Deno.build.os === "windows") {
    return { config: folder(env("APPDATA")), state: folder(env("LOCALAPPDATA")) };
  }
  if (Deno.build.os === "darwin") {
    const support = folder(env("HOME"), "Library", "Application Support");
    return { config: support, state: support };
  }
  const [config, state] = [env("XDG_CONFIG_HOME"), env("XDG_STATE_HOME")];
  return {
    config: config ? folder(config) : folder(env("HOME"), ".config"),
    state: state ? folder(state) : folder(env("HOME"), ".local", "state"),
  };
}

/**
 * Reads the config file; empty when there is none.
 *
 * @param known All settings, by name.
 * @throws {GraphError} `usage` for invalid content; `refused` when it decides where tokens are sent, and another user owns
 *   it or others may write to it.
 */
export async function readConfigFile(
  path: string,
  known: Record<string, FileSetting>,
): Promise<Record<string, string>> {
  using file = await ifExists(Deno.open(path));
  if (!file) return {};
  const info = await file.stat(); // of the open file, which a rename cannot change
  const text = await readAll(file, info.size); // without a byte order mark, which editors on Windows write
  const values = parseConfig(text, path, known);
  const destinations = Object.keys(values).filter((name) => known[name]?.destination);
  if (destinations.length > 0) await checkConfigPermissions(path, info, destinations);
  return values;
}

function parseConfig(
  text: string,
  path: string,
  known: Record<string, FileSetting>,
): Record<string, string> {
  const invalid = (why: string) => usageError(`${path}: ${why}`, "fix or delete this file", "invalidConfig");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(value)) throw invalid("not a JSON object");
  for (const [name, setting] of Object.entries(value)) {
    const isAllowed = Object.hasOwn(known, name) && (known[name]?.inFile ?? true);
    if (!isAllowed) throw invalid(`${name} is not a setting of this file`);
    if (typeof setting !== "string") throw invalid(`${name} is not a string`);
  }
  return value as Record<string, string>;
}

async function checkConfigPermissions(
  path: string,
  { mode, uid }: Deno.FileInfo,
  names: readonly string[],
): Promise<void> {
  await checkFolder(path);
  if (Deno.build.os === "windows") return;
  // In a sticky folder such as /tmp anyone may create a file. Root may write anywhere.
  const isForeign = uid !== null && uid !== 0 && uid !== ownUid();
  if (!isForeign && (mode === null || (mode & 0o022) === 0)) return;
  const why = `other users of this machine may write to ${path}, which sets ${names.join(" and ")}`;
  const quoted = shellQuoted(path);
  const hint = `check its content, then make it yours: sudo chown "$(id -u)" ${quoted}; chmod go-w ${quoted}`;
  throw new GraphError("refused", why, { code: "exposedConfig", hint });
}
