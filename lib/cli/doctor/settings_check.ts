/**
 * Where each setting comes from, and whether it is valid.
 *
 * @module
 */
import { type GraphError, usageError } from "../../errors.ts";
import { toGraphError } from "../../local/local_error.ts";
import {
  CONFIG_FILE,
  platformFolders,
  readConfigFile,
  readSettings,
  type SettingDefinition,
  type SettingName,
  SETTINGS,
  type Settings,
} from "../../settings.ts";
import { join } from "../../std.ts";
import { type Diagnosis, failWith, ok } from "./finding.ts";

type Values = Partial<Record<SettingName, string>>;
type Env = (name: string) => string | undefined;

const NAMES = Object.keys(SETTINGS) as SettingName[];
/** Of these, findings show only that they are set. */
const SECRETS: readonly SettingName[] = ["accessToken", "tokenCacheKey"];
/** Stands in for the folder of the token cache where there is no home folder. */
export const NO_HOME = "(no home folder)";

/** Reads the settings; invalid ones are reported and ignored, so that the other checks can use the rest. */
export async function checkSettings(
  options: Values,
  env: Env,
): Promise<{ diagnoses: Diagnosis[]; settings: Settings }> {
  const errors: GraphError[] = [];
  const attempt = async <T>(read: () => Promise<T> | T): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      errors.push(toGraphError(error));
      return undefined;
    }
  };
  const home = options.home || env(SETTINGS.home.variable) || undefined;
  const folders = await attempt(() => platformFolders(home, env));
  const file = folders && await attempt(() => readConfigFile(join(folders.config, CONFIG_FILE)));
  const read = (values: Values) =>
    readSettings({ ...values, home: folders?.state ?? NO_HOME }, () => undefined, {});
  const valid: Values = {};
  const described: string[] = [];
  for (const name of NAMES) {
    const [value, source] = findValue(name, options, env, file ?? {}) ?? [];
    if (value === undefined) continue;
    // With those before it, because some settings exclude each other.
    if (name !== "home" && !await attempt(() => read({ ...valid, [name]: value }))) continue;
    valid[name] = value;
    described.push(`${name} ${SECRETS.includes(name) ? "set" : value} (${source})`);
  }
  const settings = await read(valid);
  if (valid.cloud === undefined) described.push(`cloud ${settings.cloud} (default)`);
  if (settings.accessToken === undefined) await attempt(() => checkRegistration(settings));
  const diagnoses = errors.length === 0
    ? [ok("settings", described.join(", "))]
    : errors.map((error) => failWith("settings", error));
  return { diagnoses, settings };
}

/** The value in force, by the precedence of {@linkcode readSettings}; an empty text counts only for keys. */
function findValue(
  name: SettingName,
  options: Values,
  env: Env,
  file: Values,
): [value: string | undefined, source: string] | undefined {
  const { flag, variable }: SettingDefinition = SETTINGS[name];
  const sources: [value: string | undefined, source: string][] = [
    [options[name], `--${flag}`],
    [env(variable), "environment"],
    [file[name], "config file"],
  ];
  const isKey = name.startsWith("tokenCacheKey");
  return sources.find(([value]) => value || (isKey && value === ""));
}

function checkRegistration({ clientId, tenantId }: Settings): void {
  const missing = [
    ...(clientId ? [] : [SETTINGS.clientId.variable]),
    ...(tenantId ? [] : [SETTINGS.tenantId.variable]),
  ];
  if (missing.length === 0) return;
  throw usageError(
    `no app registration: ${missing.join(" and ")} not set`,
    "set them to the ids of your app registration; README, Register an app, says how to make one",
    "noRegistration",
  );
}
