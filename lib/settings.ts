/**
 * Settings: flags, environment variables and config file, in this order of precedence.
 *
 * @module
 */
import { join } from "./std.ts";
import { type CloudName, CLOUDS, isLoopback } from "./clouds.ts";
import { CONFIG_FILE, type FileSetting, platformFolders, readConfigFile } from "./config_file.ts";
import { type GraphError, usageError } from "./errors.ts";
import { GUID_PATTERN, isGuid } from "./json.ts";

/** One setting: its names everywhere. */
export interface SettingDefinition extends FileSetting {
  /** The flag without dashes. @default none */
  flag?: string;
  /** Placeholder of its value, for the help. */
  value: string;
  help: string;
}

/** All settings, by their names in the config file. */
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
  loginOrigin: {
    variable: "GRAPH_LOGIN_ORIGIN",
    value: "URL",
    help: "in place of the cloud's sign-in origin",
    destination: true,
  },
  apiOrigin: {
    variable: "GRAPH_API_ORIGIN",
    value: "URL",
    help: "in place of the cloud's Graph origin",
    destination: true,
  },
  storageHosts: {
    variable: "GRAPH_STORAGE_HOSTS",
    value: "HOSTS",
    help: "in place of the cloud's storage hosts",
    destination: true,
  },
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
export type SettingValues = Partial<Record<SettingName, string>>;

/** Where the key of the token cache is. The key itself is never part of an output or error. */
export type KeySetting = { variable: string; file: string } | { variable: string; text: string };

/** Where app-only credentials are. Their values are never part of an output or error. */
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
  /** How a user signs in. */
  signIn: "device" | "browser";
  /** App-only credential; `undefined`: a user signs in. */
  appCredential: AppCredentialSetting | undefined;
  /** Path of the token cache file. */
  tokenCache: string;
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
  const file = configFile ?? await readConfigFile(join(folders.config, CONFIG_FILE), SETTINGS);
  const value = (name: SettingName) => given(name) ?? file[name];

  const cloud = parseCloud(value("cloud") ?? "global");
  const clientId = parseClientId(value("clientId"));
  const loginOrigin = parseOrigin("loginOrigin", value("loginOrigin") ?? CLOUDS[cloud].loginOrigin);
  return {
    tenantId: parseTenant(value("tenantId")),
    clientId,
    cloud,
    account: value("account"),
    site: value("site"),
    siteHost: parseSiteHost(value("siteHost")),
    drive: value("drive"),
    accessToken: value("accessToken")?.trim(),
    signIn: parseSignIn(value("signIn") ?? "device"),
    appCredential: toAppCredential(value("clientSecretFile"), value("clientCertificateFile")),
    tokenCache: value("tokenCache") ?? join(folders.state, cacheName(cloud, loginOrigin, clientId)),
    state: folders.state,
    tokenCacheKey: toKeySetting((name) => flags[name] ?? env(SETTINGS[name].variable) ?? file[name]),
    loginOrigin,
    apiOrigin: parseOrigin("apiOrigin", value("apiOrigin") ?? CLOUDS[cloud].apiOrigin),
    storageHosts: value("storageHosts")?.split(/[\s,]+/).filter(Boolean) ?? CLOUDS[cloud].storageHosts,
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
  const { tokenCacheKeyFile: { variable: fileVariable }, tokenCacheKey: { variable } } = SETTINGS;
  const [file, text] = [value("tokenCacheKeyFile"), value("tokenCacheKey")];
  if (file === "" || text === "") {
    const hint = "set it to a key, or unset it to keep the token cache as plaintext";
    throw invalidSetting(`${file === "" ? fileVariable : variable} is set, but empty`, hint);
  }
  if (file && text) throw invalidSetting(`${fileVariable} and ${variable} are both set`, "unset one of them");
  return file ? { variable: fileVariable, file } : text ? { variable, text } : undefined;
}

function toAppCredential(secretFile?: string, certificateFile?: string): AppCredentialSetting | undefined {
  const { clientSecretFile: secret, clientCertificateFile: certificate } = SETTINGS;
  if (secretFile && certificateFile) {
    const hint = "unset one of them; the certificate is safer";
    throw invalidSetting(`${secret.variable} and ${certificate.variable} are both set`, hint);
  }
  if (certificateFile) return { kind: "certificate", file: certificateFile, variable: certificate.variable };
  return secretFile ? { kind: "secret", file: secretFile, variable: secret.variable } : undefined;
}

function parseCloud(name: string): CloudName {
  if (Object.hasOwn(CLOUDS, name)) return name as CloudName;
  const names = Object.keys(CLOUDS).join(", ");
  throw invalidSetting(`unknown cloud ${JSON.stringify(name)}`, `use one of: ${names}`);
}

function parseClientId(id: string | undefined): string | undefined {
  if (id === undefined || isGuid(id)) return id;
  const hint = `copy the Application (client) ID, ${GUID_FROM_PORTAL}`;
  throw invalidSetting(`the client id ${JSON.stringify(id)} is not an application id`, hint);
}

const GUID_FROM_PORTAL = "8-4-4-4-12 hex digits, from the app's Overview page in the Entra admin center";
const DOMAIN = "[a-z0-9-]+(\\.[a-z0-9-]+)+";
const TENANT = new RegExp(`^(${GUID_PATTERN}|common|organizations|consumers|${DOMAIN})$`, "i");

function parseTenant(tenant: string | undefined): string | undefined {
  if (tenant === undefined || TENANT.test(tenant)) return tenant;
  const hint = `copy the Directory (tenant) ID, ${GUID_FROM_PORTAL}`;
  throw invalidSetting(`the tenant ${JSON.stringify(tenant)} is neither an id nor a domain`, hint);
}

/** Accepts `https://` in front, as it is copied from a browser. */
function parseSiteHost(text: string | undefined): string | undefined {
  const host = text?.replace(/^https:\/\//i, "").replace(/\/$/, "");
  if (host === undefined || /^[a-z0-9.-]+$/i.test(host)) return host?.toLowerCase();
  throw invalidSetting(`GRAPH_SITE_HOST=${text} is not a host`, "write it like contoso.sharepoint.com");
}

function parseSignIn(method: string): "device" | "browser" {
  if (method === "device" || method === "browser") return method;
  const hint =
    "use device or browser; for app-only sign-in set GRAPH_CLIENT_SECRET_FILE or GRAPH_CLIENT_CERTIFICATE_FILE";
  throw invalidSetting(`unknown sign-in method ${JSON.stringify(method)}`, hint);
}

function parseOrigin(name: "loginOrigin" | "apiOrigin", text: string): string {
  const { variable } = SETTINGS[name];
  const url = URL.parse(text);
  if (!url || url.pathname !== "/" || url.search || url.hash || url.username || url.password) {
    const shown = text.replace(/\/\/[^/@]*@/, "//…@");
    throw invalidSetting(
      `${variable}=${shown} is not an origin`,
      "write it like https://graph.microsoft.com",
    );
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    const hint = "http is accepted for 127.0.0.1 and localhost only";
    throw invalidSetting(`${variable}=${text} is not https`, hint);
  }
  return url.origin;
}
