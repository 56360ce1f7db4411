/** Brings the packages of a client into a folder: nothing on the machine changes. */

import { join } from "../../lib/std.ts";
import type { Packages } from "./client.ts";

/** Downloads and unpacks what is not there yet. @throws {Error} with the words of the package manager */
export async function install(
  { debian = [], npm = [] }: Packages,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const run = (program: string, args: string[], cwd: string) => runQuietly(program, { args, cwd, signal });
  const archives = join(folder, "archives");
  await Deno.mkdir(archives, { recursive: true });
  const present = (await Array.fromAsync(Deno.readDir(archives))).map(({ name }) => name);
  const missing = debian.filter((name) => !present.some((file) => file.startsWith(`${name}_`)));
  if (missing.length > 0) await run("apt-get", ["-q", "download", ...missing], archives);
  for await (const { name } of Deno.readDir(archives)) {
    if (!present.includes(name)) await run("dpkg", ["-x", name, folder], archives);
  }
  const installed = await Deno.readTextFile(join(folder, "package.json")).catch(() => "");
  const wanted = npm.filter((name) => !installed.includes(`"${name.slice(0, name.lastIndexOf("@"))}"`));
  if (wanted.length > 0) {
    const cache = ["--cache", join(folder, "npm-cache")];
    const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--ignore-scripts"];
    await run("npm", ["install", "--prefix", folder, ...cache, ...quiet, ...wanted], folder);
  }
}

/** Environment variables with which installed programs find each other. */
export function packageEnvironment(folder: string): Record<string, string> {
  return {
    PATH: `${folder}/usr/bin:${folder}/node_modules/.bin:${Deno.env.get("PATH")}`,
    LD_LIBRARY_PATH: `${folder}/usr/lib/${Deno.build.arch}-linux-gnu`,
    PYTHONPATH: `${folder}/usr/lib/python3/dist-packages`,
  };
}

async function runQuietly(program: string, options: Deno.CommandOptions): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { ...options, stdout: "null" }).output();
  if (!success) {
    const [reason = ""] = new TextDecoder().decode(stderr).split("\n").filter((line) =>
      /^(E:|npm error)/.test(line)
    );
    throw new Error(`${program}: ${reason}`);
  }
}
