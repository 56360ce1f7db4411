/** Brings the packages of a client into a folder: nothing on the machine changes. */

import { join } from "../../lib/std.ts";
import type { Packages } from "./client.ts";
import { runUnlessAborted } from "./programs.ts";

const QUIET = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--ignore-scripts"];

/** Downloads and unpacks, unless it is done already. @throws {Error} with the words of the package manager */
export async function install(packages: Packages, folder: string, signal: AbortSignal): Promise<void> {
  const { debian = [], npm = [] } = packages;
  const [wanted, done] = [JSON.stringify(packages), join(folder, "installed.json")];
  if (await Deno.readTextFile(done).catch(() => "") === wanted) return;
  const archives = join(folder, "archives");
  await Deno.mkdir(archives, { recursive: true });
  const run = async (program: string, ...args: string[]) => {
    const command = new Deno.Command(program, {
      args,
      cwd: archives,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    const { success, stderr } = await runUnlessAborted(command, signal);
    const reason = /^(E:|npm error).*/m.exec(new TextDecoder().decode(stderr))?.[0];
    if (!success) throw new Error(`${program}: ${reason}`);
  };
  if (debian.length > 0) await run("apt-get", "-q", "download", ...debian);
  for await (const { name } of Deno.readDir(archives)) await run("dpkg", "-x", name, folder);
  if (npm.length > 0) {
    await run("npm", "install", "--prefix", folder, "--cache", join(folder, "npm-cache"), ...QUIET, ...npm);
  }
  await Deno.writeTextFile(done, wanted);
}

/** Environment variables with which installed programs find each other. */
export function packageEnvironment(folder: string): Record<string, string> {
  return {
    PATH: `${folder}/usr/bin:${folder}/node_modules/.bin:${Deno.env.get("PATH")}`,
    LD_LIBRARY_PATH: `${folder}/usr/lib/${Deno.build.arch}-linux-gnu`,
    PYTHONPATH: `${folder}/usr/lib/python3/dist-packages`,
  };
}
