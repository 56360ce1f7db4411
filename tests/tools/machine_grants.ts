// deno-lint-ignore-file no-console -- prints for users
/**
 * What each script needs on this machine, with its settings: the permissions of installed and compiled programs.
 *
 * @module
 */
import { parseArgs } from "node:util";
import {
  type GrantOptions,
  grantOptions,
  type Grants,
  PERMISSION_SETS,
  type ScriptName,
} from "../../lib/cli/grants.ts";
import { usageError } from "../../lib/errors.ts";
import { ifExists } from "../../lib/local/local_file.ts";
import { toGraphError } from "../../lib/local/local_error.ts";
import { readSettings } from "../../lib/settings.ts";
import { basename, dirname, join, resolve } from "../../lib/std.ts";

/** The names of the scripts. */
export const SCRIPTS = Object.keys(PERMISSION_SETS) as ScriptName[];

/** What may be added to the permissions, for usage messages. */
export const GRANT_USAGE = "[--write FOLDER]… [--sandbox]";

/** The sandbox's default ports. */
const SANDBOX = { hosts: ["127.0.0.1:8400", "127.0.0.1:8401"], storageHosts: ["127.0.0.1:8402"] };

/** Set in the terminal of a rehearsal; an installation is for real work as well. */
const OF_SANDBOX = ["GRAPH_LOGIN_ORIGIN", "GRAPH_API_ORIGIN", "GRAPH_STORAGE_HOSTS", "GRAPH_SCRIPTS_HOME"];

/** Values of the options. */
export interface GrantArgs {
  write: string[];
  sandbox: boolean;
  output: string | undefined;
  portable: boolean;
}

/**
 * Parses the options of a tool.
 *
 * @param names Those that it takes.
 * @throws {GraphError} `usage`.
 */
export function parseGrantArgs(args: string[], names: readonly (keyof GrantArgs)[]): GrantArgs {
  const all = {
    write: { type: "string", multiple: true },
    sandbox: { type: "boolean" },
    output: { type: "string" },
    portable: { type: "boolean" },
  } as const;
  const options = Object.fromEntries(
    Object.entries(all).filter(([name]) => names.includes(name as keyof GrantArgs)),
  );
  try {
    const { values } = parseArgs({ args, options: options as typeof all });
    const { write = [], sandbox = false, output, portable = false } = values;
    return { write, sandbox, output, portable };
  } catch (error) {
    throw usageError((error as Error).message, "");
  }
}

/** Resolves a path against the folder in which the task was called. */
export function fromCaller(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? ".", path);
}

/** The hosts and paths of this machine's settings; symlinked folders count under both paths. */
export async function machineOptions(
  { write, sandbox }: Pick<GrantArgs, "write" | "sandbox">,
): Promise<GrantOptions> {
  const settings = await readSettings(
    {},
    (name) => sandbox && OF_SANDBOX.includes(name) ? undefined : Deno.env.get(name),
  );
  const { hosts, storageHosts, readable, writable } = grantOptions(settings);
  const relative = [...readable, ...writable].find((path) => resolve(path) !== path);
  if (relative !== undefined) {
    throw usageError(`${relative} is not an absolute path`, "correct it in the settings");
  }
  return {
    hosts: [...hosts, ...(sandbox ? SANDBOX.hosts : [])],
    storageHosts: [...storageHosts, ...(sandbox ? SANDBOX.storageHosts : [])],
    readable: await withRealPaths(readable),
    writable: await withRealPaths(writable),
    destinations: [".", ...await withRealPaths(write.map(fromCaller))],
  };
}

async function withRealPaths(paths: readonly string[]): Promise<string[]> {
  const all = await Promise.all(paths.map(async (path) => [path, await realPath(path)]));
  const unique = [...new Set(all.flat())];
  const split = unique.find((path) => path.includes(","));
  if (split !== undefined) {
    throw usageError(`${split}: Deno's permissions cannot name a path with a comma`, "");
  }
  return unique;
}

/** As `Deno.realPath`, also for paths that do not exist yet. */
async function realPath(path: string): Promise<string> {
  const real = await ifExists(Deno.realPath(path));
  return real ?? (dirname(path) === path ? path : join(await realPath(dirname(path)), basename(path)));
}

/** Permissions as lines for the user. */
export function describeGrants({ net, read, write }: Grants): string[] {
  return [
    `  connects to ${
      net.filter((host) => !host.endsWith(":0")).map((host) => host.replace(/:443$/, "")).join(" ")
    }`,
    `  reads       ${read === "all" ? "all files" : read.join(" ")}`,
    `  writes      ${write === "all" ? "all files" : write.join(" ")}`,
  ];
}

/** Runs a tool, and prints an expected failure as one line. */
export async function runTool(usage: string, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    const failure = toGraphError(error);
    if (failure.code === "internal") throw error;
    console.error(`${failure.message}${failure.hint ? `; ${failure.hint}` : ""}`);
    if (failure.kind === "usage") console.error(`usage: ${usage}`);
    return failure.exitCode;
  }
}
