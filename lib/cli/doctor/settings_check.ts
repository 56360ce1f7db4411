/**
 * Where each setting comes from, and whether it can be meant.
 *
 * @module
 */
import { join } from "../../std.ts";
import { usageError } from "../../errors.ts";
import { toGraphError } from "../../local/local_error.ts";
import { CONFIG_FILE, platformFolders, readConfigFile } from "../../config_file.ts";
import {
  readSettings,
  type SettingDefinition,
  type SettingName,
  SETTINGS,
  type Settings,
} from "../../settings.ts";
import { type Diagnosis, fail, failure, ok } from "./finding.ts";

/** Values that may be shown; of all others only that they are set. */
const SHOWN: readonly string[] = [
  "tenantId",
  "clientId",
  "cloud",
  "account",
  "site",
  "siteHost",
  "drive",
  "tokenCache",
  "tokenCacheKeyFile",
  "signIn",
  "clientSecretFile",
  "clientCertificateFile",
  "loginOrigin",
  "apiOrigin",
  "storageHosts",
  "home",
] satisfies SettingName[];

const NO_FOLDER = "(no home folder)";
const NAMES = Object.keys(SETTINGS) as SettingName[];

type Values = Partial<Record<SettingName, string>>;
type Env = (name: string) => string | undefined;

/** What the other checks work with. */
export interface CheckedSettings {
  diagnoses: Diagnosis[];
  /** Without those that cannot be meant. */
  settings: Settings;
  /** Whether it is known where the files of this program are. */
  foldersKnown: boolean;
  /** Whether the storage hosts are the person's own, not the cloud's. */
  ownStorageHosts: boolean;
}

/** Reads the settings, leaving out those that cannot be meant, so that all else can be checked with the rest. */
export async function checkSettings(flags: Values, env: Env): Promise<CheckedSettings> {
  const diagnoses: Diagnosis[] = [];
  const folders = foldersOf(flags, env, diagnoses);
  const file = folders ? await configOf(join(folders.config, CONFIG_FILE), diagnoses) : {};
  const values: Values = {};
  const sources: Values = {};
  for (const name of NAMES) {
    const found = valueOf(name, flags, env, file);
    if (found) [values[name], sources[name]] = found;
  }
  const settings = await usable(values, folders?.state ?? NO_FOLDER, diagnoses);
  if (settings.accessToken === undefined) diagnoses.push(...registration(settings));
  if (diagnoses.length === 0) diagnoses.push(ok("settings", described(values, sources, settings)));
  return {
    diagnoses,
    settings,
    foldersKnown: folders !== undefined,
    ownStorageHosts: values.storageHosts !== undefined,
  };
}

function foldersOf(
  flags: Values,
  env: Env,
  diagnoses: Diagnosis[],
): ReturnType<typeof platformFolders> | undefined {
  try {
    return platformFolders(flags.home || env(SETTINGS.home.variable) || undefined, env);
  } catch (error) {
    diagnoses.push(failure("settings", toGraphError(error)));
    return undefined;
  }
}

async function configOf(path: string, diagnoses: Diagnosis[]): Promise<Values> {
  try {
    return await readConfigFile(path, SETTINGS);
  } catch (error) {
    diagnoses.push(failure("settings", toGraphError(error)));
    return {};
  }
}

/** The order of precedence of {@linkcode readSettings}; only for keys an empty text is a value. */
function valueOf(
  name: SettingName,
  flags: Values,
  env: Env,
  file: Values,
): [value: string, source: string] | undefined {
  const { flag, variable }: SettingDefinition = SETTINGS[name];
  const counts = (value: string | undefined) =>
    value !== undefined && (value !== "" || name.startsWith("tokenCacheKey"));
  if (counts(flags[name])) return [flags[name]!, `--${flag ?? name}`];
  if (counts(env(variable))) return [env(variable)!, "environment"];
  return counts(file[name]) ? [file[name]!, "config file"] : undefined;
}

async function usable(values: Values, state: string, diagnoses: Diagnosis[]): Promise<Settings> {
  const read = (some: Values) => readSettings({ ...some, home: state }, () => undefined, {});
  const good: Values = {};
  for (const name of NAMES.filter((name) => values[name] !== undefined && name !== "home")) {
    try {
      await read({ ...good, [name]: values[name]! }); // together: some settings do not go with others
      good[name] = values[name]!;
    } catch (error) {
      diagnoses.push(failure("settings", toGraphError(error)));
    }
  }
  return await read(good);
}

function registration({ clientId, tenantId }: Settings): Diagnosis[] {
  const missing = [...(clientId ? [] : ["GRAPH_CLIENT_ID"]), ...(tenantId ? [] : ["GRAPH_TENANT_ID"])];
  if (missing.length === 0) return [];
  const { message, hint } = usageError(
    `no app registration: ${missing.join(" and ")} not set`,
    "set them to the ids of your app registration; README, Register an app, says how to make one",
  );
  return [fail("settings", "usage", message, hint!)];
}

function described(values: Values, sources: Values, { cloud }: Settings): string {
  const said = NAMES.filter((name) => values[name] !== undefined).map((name) =>
    `${name} ${SHOWN.includes(name) ? values[name] : "set"} (${sources[name]})`
  );
  return [...said, ...(values.cloud === undefined ? [`cloud ${cloud} (default)`] : [])].join(", ");
}
