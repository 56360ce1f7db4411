/** Brings the packages of a client into a folder: nothing on the machine changes. */

import { join } from "../../lib/std.ts";
import type { Packages } from "./client.ts";

/** Downloads and unpacks what is not there yet. @throws {Error} with the words of the package manager */
export async function install({ debian = [], npm = [] }: Packages, folder: string): Promise<void> {
  const archives = join(folder, "archives");
  await Deno.mkdir(archives, { recursive: true });
  const present = (await Array.fromAsync(Deno.readDir(archives))).map(({ name }) => name);
  const missing = debian.filter((name) => !present.some((file) => file.startsWith(`${name}_`)));
  if (missing.length > 0) await command("apt-get", ["-q", "download", ...missing], archives);
  for await (const { name } of Deno.readDir(archives)) {
    if (!present.includes(name)) await command("dpkg", ["-x", name, folder], archives);
  }
  const installed = await Deno.readTextFile(join(folder, "package.json")).catch(() => "");
  const wanted = npm.filter((name) => !installed.includes(`"${name.slice(0, name.lastIndexOf("@"))}"`));
  if (wanted.length > 0) {
    const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--ignore-scripts"];
    await command("npm", ["install", "--prefix", folder, ...quiet, ...wanted], folder);
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

async function command(program: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd, stdout: "null" }).output();
  if (!success) {
    const [reason = ""] = new TextDecoder().decode(stderr).split("\n").filter((line) =>
      /^(E:|npm error)/.test(line)
    );
    throw new Error(`${program}: ${reason}`);
  }
}
