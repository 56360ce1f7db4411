/**
 * Compiles the scripts to programs, `graph-whoami` … `graph-put-large`, with the permissions that they need on this machine.
 *
 *     deno task compile [--portable] [--write FOLDER]… [--sandbox] [--output FOLDER]
 *
 * Two builds of the same sources are the same, byte for byte. `deno compile` takes a base runtime from Deno's server, or the
 * one that DENORT_BIN names. The base must be of the same version as the Deno that compiles: DENO names another than the
 * running one.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints for users
import { cloudHosts, grantFlags, type Grants, grantsOf, type ScriptName } from "../../lib/cli/grants.ts";
import { CLOUDS } from "../../lib/clouds.ts";
import { GraphError } from "../../lib/errors.ts";
import { join } from "../../lib/std.ts";
import { bundleCode, outputFolder } from "./bundle.ts";
import {
  describeGrants,
  GRANT_USAGE,
  type GrantArgs,
  machineOptions,
  parseGrantArgs,
  runTool,
  SCRIPTS,
} from "./machine_grants.ts";

/** Each compile holds a whole runtime in memory. */
const AT_ONCE = 2;
const MIB = 1024 ** 2;

/** A compiled script. */
export interface Binary {
  script: ScriptName;
  path: string;
  bytes: number;
  grants: Grants;
}

/** Where the program of a script is in a folder. */
export function binaryPath(folder: string, script: ScriptName): string {
  return join(folder, `graph-${script}${Deno.build.os === "windows" ? ".exe" : ""}`);
}

/** Compiles code with permissions. @throws {GraphError} with what Deno said, when it fails. */
export async function compileCode(code: string, flags: readonly string[], output: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-compile-" });
  try {
    // Name and time of the module are part of the program.
    const module = join(folder, "main.js");
    await Deno.writeTextFile(module, code);
    await Deno.utime(module, 0, 0);
    const { success, stderr } = await new Deno.Command(Deno.env.get("DENO") ?? Deno.execPath(), {
      args: [
        ...["compile", "-q", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-prompt"],
        "--no-code-cache", // otherwise it opens a file of a predictable name in the shared temporary folder
        ...flags,
        ...["--output", output, module],
      ],
      cwd: folder,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return;
    const [message = ""] = new TextDecoder().decode(stderr).trim().split(/\n\s*\n?Stack backtrace/);
    throw new GraphError("failed", `deno compile: ${message}`, {
      code: "compile",
      hint: message.includes("dl.deno.land")
        ? "without Deno's server, set DENORT_BIN: see Installing in the manual"
        : undefined,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The permissions of a program for other machines, whose home folder is not known here. */
function portableGrants(script: ScriptName): Grants {
  const clouds = Object.values(CLOUDS).map(cloudHosts);
  const grants = grantsOf(script, {
    hosts: clouds.flatMap(({ hosts }) => hosts),
    storageHosts: clouds.flatMap(({ storageHosts }) => storageHosts),
    readable: [],
    writable: [],
  });
  return { ...grants, net: [...new Set(grants.net)], read: "all", write: "all" };
}

/** Compiles all scripts into a folder; reports each program as soon as it is there. */
export async function compileAll(
  folder: string,
  args: Pick<GrantArgs, "portable" | "write" | "sandbox">,
  onBinary: (binary: Binary) => void,
): Promise<void> {
  const options = args.portable ? undefined : await machineOptions(args);
  const waiting = [...SCRIPTS];
  const work = async () => {
    for (let script; (script = waiting.shift());) {
      const path = binaryPath(folder, script);
      const grants = options ? grantsOf(script, options) : portableGrants(script);
      await compileCode(await bundleCode(script), grantFlags(grants), path);
      onBinary({ script, path, bytes: (await Deno.stat(path)).size, grants });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** The size of a program that does nothing: the runtime. */
async function runtimeBytes(folder: string): Promise<number> {
  const path = join(folder, `.empty-${crypto.randomUUID()}`);
  await compileCode("", [], path);
  const { size } = await Deno.stat(path);
  await Deno.remove(path);
  return size;
}

async function main(args: string[]): Promise<void> {
  const given = parseGrantArgs(args, ["write", "sandbox", "output", "portable"]);
  const folder = await outputFolder(given.output);
  const runtime = await runtimeBytes(folder);
  await compileAll(folder, given, ({ path, bytes, grants }) => {
    const own = Math.round((bytes - runtime) / 1024);
    console.log(
      [`${path}  ${(bytes / MIB).toFixed(1)} MiB, ${own} KiB without the runtime`, ...describeGrants(grants)]
        .join("\n"),
    );
  });
  if (given.portable) {
    console.log(
      "\nPortable programs may read and write all files, since the home folder of another machine is not known here, and\n" +
        "connect to the hosts of all clouds. Compile on the machine itself for less.",
    );
  }
}

if (import.meta.main) {
  const usage = `deno task compile [--portable] ${GRANT_USAGE} [--output FOLDER]`;
  Deno.exit(await runTool(usage, () => main(Deno.args)));
}
