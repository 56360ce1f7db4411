/**
 * What each script may do: the Deno permissions of its first line, of its set in `deno.json`, and of installed and compiled
 * programs.
 *
 * @module
 */
import { AZURE_VARIABLES } from "../app_settings.ts";
import { type Cloud, CLOUDS } from "../clouds.ts";
import type { GraphError } from "../errors.ts";
import { shellQuoted } from "../local/private_file.ts";
import { CONFIG_FILE, platformFolders, SETTINGS, type Settings } from "../settings.ts";
import { basename, dirname, join, resolve } from "../std.ts";
import { commandName, programKind } from "./program.ts";

/** The scripts, and the permission set of each in `deno.json`. */
export const PERMISSION_SETS = {
  whoami: "whoami",
  ls: "ls",
  get: "transfer",
  put: "transfer",
  "put-large": "transfer",
} as const;

/** The name of a script. */
export type ScriptName = keyof typeof PERMISSION_SETS;

/** Variables of settings and platform folders, one by one, since other tools may have secrets under similar names. */
const VARIABLES: readonly string[] = [
  ...Object.values(SETTINGS).map(({ variable }) => variable),
  ...AZURE_VARIABLES,
  ...["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"],
];
/** Variables that Deno's `fetch` obeys (PROTOCOL A8), which `whoami --check` shows. */
export const NETWORK_VARIABLES: readonly string[] = [
  ...["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "DENO_TLS_CA_STORE",
  "DENO_CERT",
];
/** Sign-in with a browser listens on any free port. */
const BROWSER_SIGN_IN = "127.0.0.1:0";

/** Hosts and paths that depend on the machine and its settings. */
export interface GrantOptions {
  /** Hosts of sign-in and Graph, with their ports. */
  hosts: readonly string[];
  /** Hosts of uploads and downloads, with their ports. */
  storageHosts: readonly string[];
  /** Folders and files that every script reads: config, state, and files that the settings name. */
  readable: readonly string[];
  /** Folders that every script writes to: the state. */
  writable: readonly string[];
  /** Folders that `get` writes to. @default the current one */
  destinations?: readonly string[];
}

/** Deno permissions. */
export interface Grants {
  net: readonly string[];
  env: readonly string[];
  read: readonly string[] | "all";
  write: readonly string[] | "all";
}

/** The permissions of a script. */
export function grantsOf(script: ScriptName, options: GrantOptions): Grants {
  const { hosts, storageHosts, readable, writable, destinations = ["."] } = options;
  const set = PERMISSION_SETS[script];
  const folders = script === "get" ? destinations : [];
  return {
    net: [...hosts, BROWSER_SIGN_IN, ...(set === "transfer" ? storageHosts : [])],
    env: [...VARIABLES, ...(set === "whoami" ? NETWORK_VARIABLES : [])],
    read: script.startsWith("put") ? "all" : [...folders, ...readable],
    write: [...folders, ...writable],
  };
}

/** Permissions as options of Deno. Other variables are read as if they were not set. */
export function grantFlags({ net, env, read, write }: Grants): string[] {
  return [
    `--allow-net=${net.join(",")}`,
    `--allow-env=${env.join(",")}`,
    "--ignore-env",
    "--allow-sys=uid",
    ...pathFlags({ read, write }),
  ];
}

/** Permissions for files as options of Deno; a set in `deno.json` cannot name a home folder. */
export function pathFlags({ read, write }: Pick<Grants, "read" | "write">): string[] {
  const flag = (name: string, paths: readonly string[] | "all") =>
    paths === "all" ? name : `${name}=${[...new Set(paths)].join(",")}`;
  return [flag("-R", read), flag("-W", write)];
}

/** The hosts of a cloud, with their ports. */
export function cloudHosts(
  { loginOrigin, apiOrigin, storageHosts }: Pick<Cloud, "loginOrigin" | "apiOrigin" | "storageHosts">,
): Pick<GrantOptions, "hosts" | "storageHosts"> {
  const hosts = [loginOrigin, apiOrigin].map((origin) => withPort(new URL(origin)));
  return {
    hosts: [...new Set(hosts)],
    storageHosts: storageHosts.map((host) => /:\d+$/.test(host) ? host : `${host}:443`),
  };
}

function withPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

/** What the settings of a machine demand. */
export function grantOptions(settings: Settings): GrantOptions {
  const { config, state, tokenCache, tokenCacheKey, appCredential } = settings;
  const keyFile = tokenCacheKey && "file" in tokenCacheKey ? [tokenCacheKey.file] : [];
  const credentialFile = appCredential?.file ? [appCredential.file] : [];
  const writable = [...new Set([state, dirname(tokenCache)])];
  const readable = [
    ...new Set([config, ...writable, ...keyFile, ...credentialFile]),
  ];
  return { ...cloudHosts(settings), readable, writable };
}

/** A permission that a run lacks. */
export interface MissingPermission {
  kind: "read" | "write" | "net";
  /** A path or host. */
  name: string;
}

/** The permission that an error is about, if the settings or a destination may demand it. */
export function missingPermission({ code, message, subject }: GraphError): MissingPermission | undefined {
  if (code === "notCapable" && subject) return { kind: "net", name: subject };
  const [, kind, name] = /Requires (read|write) access to "(.+)"/s.exec(message) ?? [];
  return code === "NotCapable" && kind && name ? { kind: kind as "read" | "write", name } : undefined;
}

/** A run that lacks a permission. */
interface RefusedRun {
  script: ScriptName;
  args: readonly string[];
  /** `undefined` where they cannot be read. */
  settings: Settings | undefined;
  env(name: string): string | undefined;
}

/** What to type to give a program a permission that it lacks. */
export function grantHint(
  { kind, name }: MissingPermission,
  { script, args, settings, env }: RefusedRun,
): string {
  const options = settings ? grantOptions(settings) : defaultOptions(env);
  const isKnown = options.readable.some((path) => name === path || name.startsWith(join(path, "/")));
  const isConfig = basename(name) === CONFIG_FILE; // of a folder behind a symlink
  const isDestination = script === "get" && kind !== "net" && !isKnown && !isConfig;
  // A new file is written beside its final name.
  const folder = kind === "write" || (isDestination && /.\.\w+$/.test(basename(name))) ? dirname(name) : name;
  const write = isDestination ? ` --write ${shellQuoted(resolve(folder))}` : "";
  if (programKind === "compiled") {
    return `allow it, in the folder of the toolkit, with: deno task compile${write}`;
  }
  if (programKind === "installed") {
    const { dirname: folder } = import.meta;
    if (folder === undefined) return "install it again, with this permission";
    const config = shellQuoted(resolve(folder, "../../deno.json"));
    return `allow it with: deno task --config ${config} install${write}`;
  }
  const grants = grantsOf(script, {
    ...options,
    readable: [...options.readable, ...(isConfig ? [name] : [])],
    ...(isDestination ? { destinations: [".", folder] } : {}),
  });
  const net = [...new Set([...grants.net, ...(kind === "net" ? [name] : [])])];
  const set = [`-P=${PERMISSION_SETS[script]}`, ...(kind === "net" ? [`--allow-net=${net.join(",")}`] : [])];
  if ([grants.read, grants.write, folder].flat().some((path) => path.includes(","))) {
    return "Deno's permissions cannot name a path with a comma: choose another";
  }
  const flags = programKind === "script"
    ? ["--cached-only", "--frozen", ...set, ...pathFlags(grants)]
    : [...(Deno.mainModule.startsWith("file:") ? ["--no-config"] : []), ...grantFlags({ ...grants, net })];
  const quoted = (words: readonly string[]) => words.map((word) => shellQuoted(word));
  const words = [...quoted(flags), commandName(script), ...quoted(args)];
  return `allow it with: deno run -q --no-prompt ${words.join(" ")}`;
}

/** Where the settings cannot be read because the folder of the config file may not be read. */
function defaultOptions(env: (name: string) => string | undefined): GrantOptions {
  const { config, state } = platformFolders(env(SETTINGS.home.variable) || undefined, env);
  return { ...cloudHosts(CLOUDS.global), readable: [config, state], writable: [state] };
}
