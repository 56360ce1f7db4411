/**
 * Flags, environment and config file, in this order of precedence, become {@linkcode Settings}.
 *
 * @module
 */
import { join } from "./std.ts";
import type { KeySetting } from "./auth/encryption.ts";
import type { AppCredentialSetting } from "./auth/credentials.ts";
import { type CloudName, CLOUDS, isLoopback } from "./clouds.ts";
import { GraphError, usageError } from "./errors.ts";
import { checkFolder, ownUid, readAll, shellQuoted } from "./local/private_file.ts";

/** One setting: its names everywhere. */
export interface SettingDefinition {
  /** The environment variable. */
  variable: string;
  /** The flag without dashes, where there is one. */
  flag?: string;
  /** For `--help`, with the placeholder of its value. */
  value: string;
  help: string;
}

/** All settings; a key is the name in the config file as well. */
export const SETTINGS = {
  tenantId: {
    variable: "GRAPH_TENANT_ID",
    flag: "tenant",
    value: "ID",
    help: "directory (tenant) id or domain",
  },
  clientId: { variable: "GRAPH_CLIENT_ID", flag: "client-id", value: "ID", help: "application (client) id" },
  cloud: { variable: "GRAPH_CLOUD", flag: "cloud", value: "NAME", help: "global, usgov, usdod or china" },
  account: {
    variable: "GRAPH_ACCOUNT",
    flag: "account",
    value: "NAME",
    help: "which signed-in account, by user name",
  },
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
    help: "the app acts by itself, with the secret in this file",
  },
  clientCertificateFile: {
    variable: "GRAPH_CLIENT_CERTIFICATE_FILE",
    value: "FILE",
    help: "the app acts by itself, with the certificate and key in this file",
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
  },
  loginOrigin: {
    variable: "GRAPH_LOGIN_ORIGIN",
    value: "URL",
    help: "in place of the cloud's sign-in origin",
  },
  apiOrigin: { variable: "GRAPH_API_ORIGIN", value: "URL", help: "in place of the cloud's Graph origin" },
  storageHosts: {
    variable: "GRAPH_STORAGE_HOSTS",
    value: "HOSTS",
    help: "in place of the cloud's storage hosts",
  },
  home: {
    variable: "GRAPH_SCRIPTS_HOME",
    value: "FOLDER",
    help: "one folder for config, token cache and unfinished uploads",
  },
} as const satisfies Record<string, SettingDefinition>;

/** The name of a setting: a key of {@linkcode SETTINGS}. */
export type SettingName = keyof typeof SETTINGS;

/** What a run works with. */
export interface Settings {
  tenantId: string | undefined;
  clientId: string | undefined;
  cloud: CloudName;
  account: string | undefined;
  site: string | undefined;
  siteHost: string | undefined;
  drive: string | undefined;
  accessToken: string | undefined;
  /** How a person signs in. */
  signIn: "device" | "browser";
  /** With what an app signs in by itself; `undefined`: a person signs in. */
  appCredential: AppCredentialSetting | undefined;
  /** Path of the token cache file. */
  tokenCache: string;
  /** Private folder for what one run leaves to the next: unfinished transfers, and the token cache. */
  state: string;
  /** Where the key of the token cache is; `undefined`: it is in clear. */
  tokenCacheKey: KeySetting | undefined;
  loginOrigin: string;
  apiOrigin: string;
  storageHosts: readonly string[];
}

/** The name of the config file, in its folder. */
export const CONFIG_FILE = "graph-scripts.json";

/** Never in the config file: they would make it a secret, or decide where it lies. */
const NOT_IN_FILE: readonly SettingName[] = ["accessToken", "home", "tokenCacheKey"];

/**
 * Reads the settings.
 *
 * @param flags Values given on the command line or by a snippet; they win.
 * @param configFile Its content, where it has been read already.
 * @throws {GraphError} `usage` for a value that cannot be meant.
 */
export async function readSettings(
  flags: Partial<Record<SettingName, string>> = {},
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
  configFile?: Partial<Record<SettingName, string>>,
): Promise<Settings> {
  const given = (name: SettingName) => flags[name] || env(SETTINGS[name].variable) || undefined;
  const folders = platformFolders(given("home"), env);
  const file = configFile ?? await readConfigFile(join(folders.config, CONFIG_FILE));
  const value = (name: SettingName) => given(name) ?? file[name];

  const cloud = oneOf(value("cloud") ?? "global");
  const loginOrigin = origin("loginOrigin", value("loginOrigin") ?? CLOUDS[cloud].loginOrigin);
  const clientId = value("clientId");
  if (clientId !== undefined && !GUID.test(clientId)) {
    throw usageError(
      `the client id ${JSON.stringify(clientId)} is not an application id`,
      GUID_HINT,
      "invalidSetting",
    );
  }
  const tenantId = value("tenantId");
  if (tenantId !== undefined && !TENANT.test(tenantId)) {
    throw usageError(
      `the tenant ${JSON.stringify(tenantId)} is neither an id nor a domain`,
      GUID_HINT.replace("Application (client)", "Directory (tenant)"),
      "invalidSetting",
    );
  }
  return {
    tenantId,
    clientId,
    cloud,
    account: value("account"),
    site: value("site"),
    siteHost: siteHostOf(value("siteHost")),
    drive: value("drive"),
    accessToken: value("accessToken")?.trim(),
    signIn: signInOf(value("signIn")),
    appCredential: appCredential(value("clientSecretFile"), value("clientCertificateFile")),
    // Tokens of one cloud, gateway or sandbox must never reach another, so each has a file of its own.
    tokenCache: value("tokenCache") ??
      join(folders.state, `tokens-${tokensOf(cloud, loginOrigin)}-${clientId ?? "none"}.json`),
    state: folders.state,
    tokenCacheKey: keySetting((name) => flags[name] ?? env(SETTINGS[name].variable) ?? file[name]),
    loginOrigin,
    apiOrigin: origin("apiOrigin", value("apiOrigin") ?? CLOUDS[cloud].apiOrigin),
    storageHosts: value("storageHosts")?.split(/[\s,]+/).filter(Boolean) ?? CLOUDS[cloud].storageHosts,
  };
}

function tokensOf(cloud: CloudName, loginOrigin: string): string {
  return loginOrigin === CLOUDS[cloud].loginOrigin
    ? cloud
    : new URL(loginOrigin).host.replaceAll(/[:[\]]/g, "-");
}

/**
 * An empty variable is an error here: it is what remains of a command that failed to print a key, and to go on without one
 * would write the tokens in clear.
 */
function keySetting(value: (name: SettingName) => string | undefined): KeySetting | undefined {
  const names = ["tokenCacheKeyFile", "tokenCacheKey"] as const;
  const variables = names.map((name) => SETTINGS[name].variable);
  const [file, text] = names.map(value);
  const given = [file, text].findIndex((setting) => setting === "");
  if (given >= 0) {
    throw usageError(
      `${variables[given]} is set, but empty`,
      "set it to a key, or unset it to keep the token cache in clear",
      "invalidSetting",
    );
  }
  if (file !== undefined && text !== undefined) {
    throw usageError(`${variables.join(" and ")} are both set`, "unset one of them", "invalidSetting");
  }
  if (file !== undefined) return { variable: variables[0]!, file };
  return text === undefined ? undefined : { variable: variables[1]!, text };
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const GUID_HINT =
  "copy the Application (client) ID, 8-4-4-4-12 hex digits, from the app's Overview page in the Entra admin center";
const TENANT =
  /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|common|organizations|consumers|[a-z0-9-]+(\.[a-z0-9-]+)+)$/i;

/** As a host name alone; people copy it with `https://` in front. */
function siteHostOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const host = text.replace(/^https:\/\//i, "").replace(/\/$/, "");
  if (/^[a-z0-9.-]+$/i.test(host)) return host.toLowerCase();
  throw usageError(
    `${SETTINGS.siteHost.variable}=${text} is not a host`,
    "write it like contoso.sharepoint.com",
    "invalidSetting",
  );
}

function signInOf(how: string | undefined): "device" | "browser" {
  if (how === undefined || how === "device") return "device";
  if (how === "browser") return how;
  throw usageError(
    `unknown way to sign in ${JSON.stringify(how)}`,
    "use device or browser; an app by itself signs in with GRAPH_CLIENT_SECRET_FILE or GRAPH_CLIENT_CERTIFICATE_FILE",
    "invalidSetting",
  );
}

function appCredential(
  secretFile: string | undefined,
  certificateFile: string | undefined,
): AppCredentialSetting | undefined {
  const { clientSecretFile: secret, clientCertificateFile: certificate } = SETTINGS;
  if (secretFile && certificateFile) {
    throw usageError(
      `${secret.variable} and ${certificate.variable} are both set`,
      "unset one of them; the certificate is the safer way",
      "invalidSetting",
    );
  }
  if (certificateFile) return { kind: "certificate", file: certificateFile, variable: certificate.variable };
  return secretFile ? { kind: "secret", file: secretFile, variable: secret.variable } : undefined;
}

function oneOf(cloud: string): CloudName {
  if (Object.hasOwn(CLOUDS, cloud)) return cloud as CloudName;
  throw usageError(
    `unknown cloud ${JSON.stringify(cloud)}`,
    `use one of: ${Object.keys(CLOUDS).join(", ")}`,
    "invalidSetting",
  );
}

function origin(name: SettingName, text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // reported below, with the name of the setting
  }
  const { variable } = SETTINGS[name];
  if (!url || url.pathname !== "/" || url.search || url.hash || url.username || url.password) {
    throw usageError(
      `${variable}=${text.replace(/\/\/[^/@]*@/, "//…@")} is not an origin`,
      "write it like https://graph.microsoft.com",
      "invalidSetting",
    );
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw usageError(
      `${variable}=${text} is not https`,
      "http is accepted for 127.0.0.1 and localhost only",
      "invalidSetting",
    );
  }
  return url.origin;
}

/** Where the platform keeps a program's configuration and its state. */
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
 * @throws {GraphError} `usage` for one that cannot be meant; `refused` when it says where tokens are sent, and is another
 *   user's or others may write to it.
 */
export async function readConfigFile(path: string): Promise<Partial<Record<SettingName, string>>> {
  let text: string;
  let info: Deno.FileInfo;
  try {
    using file = await Deno.open(path);
    info = await file.stat(); // of what is read, whatever the name means by now
    text = await readAll(file, info.size); // without a byte order mark, which editors on Windows write
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  const bad = (why: string) => usageError(`${path}: ${why}`, `mend or remove that file`, "invalidConfig");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(`not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("not a JSON object");
  for (const [name, setting] of Object.entries(value)) {
    if (!Object.hasOwn(SETTINGS, name) || NOT_IN_FILE.includes(name as SettingName)) {
      throw bad(`${name} is not a setting of this file`);
    }
    if (typeof setting !== "string") throw bad(`${name} is not a string`);
  }
  const leading = LEADING.filter((name) => Object.hasOwn(value, name));
  if (leading.length > 0) await checkConfigPermissions(path, info, leading);
  return value;
}

/** They say where tokens and files are sent. */
const LEADING: readonly SettingName[] = ["loginOrigin", "apiOrigin", "storageHosts"];

async function checkConfigPermissions(
  path: string,
  { mode, uid }: Deno.FileInfo,
  names: readonly SettingName[],
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
      `if it says what you mean, mend it with: chmod go-w ${shellQuoted(path)}`,
    );
  }
  // A sticky folder such as /tmp lets anybody put a file there; root may write everywhere anyhow.
  if (uid !== null && uid !== 0 && uid !== ownUid()) {
    throw refuse(
      `another user of this machine (uid ${uid}) owns ${path}`,
      `if it says what you mean, make it yours: sudo chown "$(id -u)" ${shellQuoted(path)}`,
    );
  }
}
