/**
 * The config file: a JSON object of settings, in the platform's folder for configuration.
 *
 * @module
 */
import { join } from "./std.ts";
import { GraphError, usageError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import { checkFolder, ownUid, readAll, shellQuoted } from "./local/private_file.ts";
import type { SettingDefinition, SettingValues } from "./settings.ts";

/** The name of the config file, in its folder. */
export const CONFIG_FILE = "graph-scripts.json";

/** The folders in which the platform keeps configuration and state. */
export function platformFolders(
  home: string | undefined,
  env: (name: string) => string | undefined,
): { config: string; state: string } {
  if (home) return { config: home, state: home };
  const folder = (base: string | undefined, ...below: string[]) => {
    if (base) return join(base, ...below, "graph-scripts");
    throw usageError(
      "no home folder: HOME (on Windows: APPDATA, LOCALAPPDATA) is not set",
      "set GRAPH_SCRIPTS_HOME to a folder of yours",
    );
  };
  switch (Deno.build.os) {
    case "windows":
      return { config: folder(env("APPDATA")), state: folder(env("LOCALAPPDATA")) };
    case "darwin": {
      const support = folder(env("HOME"), "Library", "Application Support");
      return { config: support, state: support };
    }
    default:
      return {
        config: env("XDG_CONFIG_HOME") ? folder(env("XDG_CONFIG_HOME")) : folder(env("HOME"), ".config"),
        state: env("XDG_STATE_HOME") ? folder(env("XDG_STATE_HOME")) : folder(env("HOME"), ".local", "state"),
      };
  }
}

/**
 * Reads the config file; empty when there is none.
 *
 * @param definitions All settings, by name.
 * @throws {GraphError} `usage` for invalid content; `refused` when it decides where tokens are sent, and another user owns
 *   it or others may write to it.
 */
export async function readConfigFile(
  path: string,
  definitions: Record<string, SettingDefinition>,
): Promise<SettingValues> {
  let text: string;
  let info: Deno.FileInfo;
  try {
    using file = await Deno.open(path);
    info = await file.stat(); // of the open file, which a rename cannot change
    text = await readAll(file, info.size); // without a byte order mark, which editors on Windows write
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  const values = parseConfig(text, path, definitions);
  const destinations = Object.keys(values).filter((name) => definitions[name]?.destination);
  if (destinations.length > 0) await checkConfigPermissions(path, info, destinations);
  return values;
}

function parseConfig(
  text: string,
  path: string,
  definitions: Record<string, SettingDefinition>,
): SettingValues {
  const invalid = (why: string) => usageError(`${path}: ${why}`, "fix or delete this file", "invalidConfig");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(value)) throw invalid("not a JSON object");
  for (const [name, setting] of Object.entries(value)) {
    const isAllowed = Object.hasOwn(definitions, name) && (definitions[name]?.inFile ?? true);
    if (!isAllowed) throw invalid(`${name} is not a setting of this file`);
    if (typeof setting !== "string") throw invalid(`${name} is not a string`);
  }
  return value;
}

async function checkConfigPermissions(
  path: string,
  { mode, uid }: Deno.FileInfo,
  names: readonly string[],
): Promise<void> {
  await checkFolder(path);
  if (Deno.build.os === "windows") return;
  const refuse = (why: string, hint: string) => {
    const code = "exposedConfig";
    return new GraphError("refused", `${why}, which sets ${names.join(" and ")}`, { code, hint });
  };
  if (mode !== null && (mode & 0o022) !== 0) {
    throw refuse(
      `other users of this machine may write to ${path}`,
      `check its content, then fix it with: chmod go-w ${shellQuoted(path)}`,
    );
  }
  // In a sticky folder such as /tmp anybody may create a file. Root may write everywhere anyway.
  if (uid !== null && uid !== 0 && uid !== ownUid()) {
    throw refuse(
      `another user of this machine (uid ${uid}) owns ${path}`,
      `check its content, then make it yours: sudo chown "$(id -u)" ${shellQuoted(path)}`,
    );
  }
}
