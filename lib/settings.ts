/**
 * Settings: flags, environment variables and config file, in this order of precedence.
 *
 * @module
 */
import { join } from "./std.ts";
import { type CloudName, CLOUDS, HOST, isSecure } from "./clouds.ts";
import { GraphError, usageError } from "./errors.ts";
import { isGuid, isJsonObject } from "./json.ts";
import { ifExists } from "./local/local_file.ts";
import { checkFolder, ownUid, readAll, shellQuoted } from "./local/private_file.ts";

/** The name of the config file, a JSON object of settings, in the platform's folder for configuration. */
export const CONFIG_FILE = "graph-scripts.json";

/** One setting: its names everywhere. */
export interface SettingDefinition {
  /** The environment variable. */
  variable: string;
  /** The flag without dashes. @default none */
  flag?: string;
  /** Placeholder of its value, for the help. */
  value: string;
  /** What it is, for the help. */
  help: string;
  /** Whether the config file may set it. @default true */
  inFile?: boolean;
}

/** All settings, by their names in the config file. */
export const SETTINGS = {
  tenantId: { variable: "GRAPH_TENANT_ID", flag: "tenant", value: "ID", help: "directory (tenant) id" },
  clientId: { variable: "GRAPH_CLIENT_ID", flag: "client-id", value: "ID", help: "application (client) id" },
  cloud: { variable: "GRAPH_CLOUD", flag: "cloud", value: "NAME", help: "global, usgov, usdod or china" },
  account: { variable: "GRAPH_ACCOUNT", flag: "account", value: "NAME", help: "signed-in account to use" },
  site: {
    variable: "GRAPH_SITE",
    flag: "site",
    value: "SITE",
    help: "default site: HOST/sites/NAME, or NAME",
  },
  siteHost: { variable: "GRAPH_SITE_HOST", value: "HOST", help: "host of sites given by name alone" },
  drive: { variable: "GRAPH_DRIVE", flag: "drive", value: "DRIVE", help: "default library, by name or id" },
  accessToken: {
    variable: "GRAPH_ACCESS_TOKEN",
    value: "TOKEN",
    help: "use this token; no sign-in, no cache",
    inFile: false,
  },
  signIn: {
    variable: "GRAPH_SIGN_IN",
    flag: "sign-in",
    value: "HOW",
    help: "device (a code, default) or browser (on this machine)",
  },
  clientSecretFile: {
    variable: "GRAPH_CLIENT_SECRET_FILE",
    value: "FILE",
    help: "app-only sign-in with the secret in this file",
  },
  clientCertificateFile: {
    variable: "GRAPH_CLIENT_CERTIFICATE_FILE",
    value: "FILE",
    help: "app-only sign-in with the certificate and key in this file",
  },
  tokenCache: { variable: "GRAPH_TOKEN_CACHE", value: "FILE", help: "the token cache file" },
  tokenCacheKeyFile: {
    variable: "GRAPH_TOKEN_CACHE_KEY_FILE",
    value: "FILE",
    help: "encrypt the token cache with the key in this file",
  },
  tokenCacheKey: {
    variable: "GRAPH_TOKEN_CACHE_KEY",
    value: "KEY",
    help: "encrypt the token cache with this key",
    inFile: false,
  },
  loginOrigin: { variable: "GRAPH_LOGIN_ORIGIN", value: "URL", help: "replaces the sign-in origin" },
  apiOrigin: { variable: "GRAPH_API_ORIGIN", value: "URL", help: "replaces the Graph origin" },
  storageHosts: { variable: "GRAPH_STORAGE_HOSTS", value: "HOSTS", help: "replaces the storage hosts" },
  home: {
    variable: "GRAPH_SCRIPTS_HOME",
    value: "FOLDER",
    help: "one folder for config, token cache and unfinished uploads",
    inFile: false,
  },
} as const satisfies Record<string, SettingDefinition>;

/** The name of a setting: a key of {@linkcode SETTINGS}. */
export type SettingName = keyof typeof SETTINGS;

/** Values of settings, as they were given. */
type SettingValues = Partial<Record<SettingName, string>>;

/** Where the key of the token cache is. */
export type KeySetting = { variable: string; file: string } | { variable: string; text: string };

/** Where app-only credentials are. */
export type AppCredentialSetting = { kind: "secret" | "certificate"; file: string; variable: string };

/** The settings of a run. */
export interface Settings {
  tenantId: string | undefined;
  clientId: string | undefined;
  cloud: CloudName;
  account: string | undefined;
  site: string | undefined;
  siteHost: string | undefined;
  drive: string | undefined;
  accessToken: string | undefined;
  signIn: "device" | "browser";
  /** App-only credential; `undefined`: a user signs in. */
  appCredential: AppCredentialSetting | undefined;
  tokenCache: string;
  /** Folder of the config file. */
  config: string;
  /** Private folder for what later runs need: the journals of unfinished transfers, and the token cache. */
  state: string;
  /** Where the key of the token cache is; `undefined`: the cache is plaintext. */
  tokenCacheKey: KeySetting | undefined;
  loginOrigin: string;
  apiOrigin: string;
  storageHosts: readonly string[];
}

/**
 * Reads the settings.
 *
 * @param flags Values from the command line or a snippet.
 * @param configFile Content of the config file. @default it is read
 * @throws {GraphError} `usage` for an invalid setting.
 */
export async function readSettings(
  flags: SettingValues = {},
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
  configFile?: SettingValues,
): Promise<Settings> {
  const given = (name: SettingName) => flags[name] || env(SETTINGS[name].variable) || undefined;
  const folders = platformFolders(given("home"), env);
  const file = configFile ?? await readConfigFile(join(folders.config, CONFIG_FILE));
  const value = (name: SettingName) => given(name) ?? file[name];

  const cloud = oneOf(Object.keys(CLOUDS) as CloudName[], "cloud", value("cloud") ?? "global");
  const clientId = parseId("clientId", value("clientId"));
  const loginOrigin = parseOrigin("loginOrigin", value("loginOrigin") ?? CLOUDS[cloud].loginOrigin);
  return {
    tenantId: parseId("tenantId", value("tenantId")),
    clientId,
    cloud,
    account: value("account"),
    site: value("site"),
    siteHost: parseSiteHost(value("siteHost")),
    drive: value("drive"),
    accessToken: value("accessToken")?.trim(),
    signIn: oneOf(["device", "browser"], "sign-in method", value("signIn") ?? "device"),
    appCredential: toAppCredential(value("clientSecretFile"), value("clientCertificateFile")),
    tokenCache: value("tokenCache") ?? join(folders.state, cacheName(cloud, loginOrigin, clientId)),
    config: folders.config,
    state: folders.state,
    tokenCacheKey: toKeySetting((name) => flags[name] ?? env(SETTINGS[name].variable) ?? file[name]),
    loginOrigin,
    apiOrigin: parseOrigin("apiOrigin", value("apiOrigin") ?? CLOUDS[cloud].apiOrigin),
    storageHosts: parseStorageHosts(value("storageHosts")) ?? CLOUDS[cloud].storageHosts,
  };
}

/** Tokens of one cloud, gateway or sandbox must never reach another, so each has a file of its own. */
function cacheName(cloud: CloudName, loginOrigin: string, clientId = "none"): string {
  const isOwnOrigin = loginOrigin === CLOUDS[cloud].loginOrigin;
  const service = isOwnOrigin ? cloud : new URL(loginOrigin).host.replaceAll(/[:[\]]/g, "-");
  return `tokens-${service}-${clientId}.json`;
}

function invalidSetting(message: string, hint: string): GraphError {
  return usageError(message, hint, "invalidSetting");
}

/** An empty variable is an error: a command failed to print a key, and without one the tokens would be plaintext. */
function toKeySetting(value: (name: SettingName) => string | undefined): KeySetting | undefined {
  for (const name of ["tokenCacheKeyFile", "tokenCacheKey"] as const) {
    const { variable } = SETTINGS[name];
    const text = value(name);
    const hint = "set it to a key, or unset it for a plaintext cache";
    if (text === "") throw invalidSetting(`${variable} is set, but empty`, hint);
    if (text) return name === "tokenCacheKey" ? { variable, text } : { variable, file: text };
  }
  return undefined;
}

function toAppCredential(secret?: string, certificate?: string): AppCredentialSetting | undefined {
  const { clientSecretFile, clientCertificateFile } = SETTINGS;
  if (certificate) {
    return { kind: "certificate", file: certificate, variable: clientCertificateFile.variable };
  }
  return secret ? { kind: "secret", file: secret, variable: clientSecretFile.variable } : undefined;
}

function oneOf<T extends string>(values: readonly T[], what: string, text: string): T {
  const known = values.find((value) => value === text);
  if (known) return known;
  throw invalidSetting(`unknown ${what} ${JSON.stringify(text)}`, `use one of: ${values.join(", ")}`);
}

function parseId(name: "clientId" | "tenantId", id: string | undefined): string | undefined {
  const isWord = name === "tenantId" && /^(common|organizations|consumers)$/i.test(id ?? "");
  if (id === undefined || isWord || isGuid(id)) return id;
  const hint = "copy it, 8-4-4-4-12 hex digits, from the app's Overview page in the Entra admin center";
  throw invalidSetting(`invalid ${SETTINGS[name].help}: ${JSON.stringify(id)}`, hint);
}

/** Accepts `https://` in front, as it is copied from a browser. */
function parseSiteHost(text: string | undefined): string | undefined {
  const host = text?.replace(/^https:\/\//i, "").replace(/\/$/, "");
  if (host === undefined || /^[a-z0-9.-]+$/i.test(host)) return host?.toLowerCase();
  throw invalidSetting(`GRAPH_SITE_HOST=${text} is not a host`, "write it like contoso.sharepoint.com");
}

/** The text itself is not shown, as it may hold a password. */
function parseOrigin(name: "loginOrigin" | "apiOrigin", text: string): string {
  const url = URL.parse(text);
  if (url && isSecure(url) && HOST.test(url.host) && url.href === `${url.origin}/`) return url.origin;
  const hint = "write it like https://graph.microsoft.com; http is accepted for 127.0.0.1 and localhost only";
  throw invalidSetting(`${SETTINGS[name].variable} is not an https origin`, hint);
}

function parseStorageHosts(text: string | undefined): string[] | undefined {
  const hosts = text?.split(/[\s,]+/).filter(Boolean);
  const wrong = hosts?.find((host) => !HOST.test(host.replace(/^\*\./, "")));
  if (wrong === undefined) return hosts;
  const hint = "separate hosts by commas; *.example.com stands for all hosts below example.com";
  throw invalidSetting(`${SETTINGS.storageHosts.variable}: ${JSON.stringify(wrong)} is not a host`, hint);
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
  // A relative path would be another folder in each current folder; the XDG specification ignores it, too.
  const [config, state, userHome] = ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"].map(env)
    .map((path) => path?.startsWith("/") ? path : undefined);
  return {
    config: config ? folder(config) : folder(userHome, ".config"),
    state: state ? folder(state) : folder(userHome, ".local", "state"),
  };
}

/**
 * Reads the config file; empty when there is none.
 *
 * @throws {GraphError} `usage` for invalid content; `refused` when it decides where tokens are sent, and another user owns
 *   it or others may write to it.
 */
async function readConfigFile(path: string): Promise<SettingValues> {
  using file = await ifExists(Deno.open(path));
  if (!file) return {};
  const info = await file.stat(); // of the open file, which a rename cannot change
  const text = await readAll(file, info.size); // without a byte order mark, which editors on Windows write
  const values = parseConfig(text, path);
  const destinations = ["loginOrigin", "apiOrigin", "storageHosts"].filter((name) => name in values);
  if (destinations.length > 0) await checkConfigPermissions(path, info, destinations);
  return values;
}

function parseConfig(text: string, path: string): SettingValues {
  const known: Record<string, SettingDefinition> = SETTINGS;
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
  return value;
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
