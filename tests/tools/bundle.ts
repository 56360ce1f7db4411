/**
 * Bundles each script with its packages into one JavaScript file, `dist/whoami.js` … `dist/put-large.js`, which runs on any
 * machine with Deno. Its first lines are a shell command with the permissions, for the cloud of this machine's settings.
 *
 *     deno task bundle [--output FOLDER]
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints for users
import { cloudHosts, grantFlags, grantsOf, type ScriptName } from "../../lib/cli/grants.ts";
import { GraphError } from "../../lib/errors.ts";
import { readSettings } from "../../lib/settings.ts";
import { pathToFileURL } from "node:url";
import { join } from "../../lib/std.ts";
import { CONFIG, ROOT } from "../test_env.ts";
import { fromCaller, parseGrantArgs, runTool, SCRIPTS } from "./machine_grants.ts";

/** Where `env` and the folders are on any POSIX system; a line of a comment to JavaScript. */
const SHELL = ["#!/bin/sh", "//usr/bin/env true; exec"];
const CONFIG_FOLDER = "${XDG_CONFIG_HOME:-$HOME/.config}/graph-scripts";
const STATE_FOLDER = "${XDG_STATE_HOME:-$HOME/.local/state}/graph-scripts";

/** The file of a bundled script. */
export function bundlePath(folder: string, script: ScriptName): string {
  return join(folder, `${script}.js`);
}

/** The code of a script with all that it imports; the same on every machine. */
export async function bundleCode(script: ScriptName): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-bundle-" });
  try {
    // Whether JSR can be reached makes no difference: the adapters take the place of its packages.
    const std = await Deno.readTextFile(join(ROOT, "lib", "std.ts"));
    const compat = { "parse-args": "parse_args.ts", path: "path.ts" } as const;
    const imports = Object.fromEntries(
      [...std.matchAll(/"(jsr:@std\/[^"]*?(parse-args|path)[^"]*)"/g)].map(([, specifier, name]) => [
        specifier,
        pathToFileURL(join(ROOT, "lib", "compat", compat[name as keyof typeof compat])).href,
      ]),
    );
    const map = join(folder, "import_map.json");
    await Deno.writeTextFile(map, JSON.stringify({ imports }));
    const output = join(folder, "bundle.js");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "-q", "--platform=deno", "--frozen", `--config=${CONFIG}`, `--import-map=${map}`],
        `--output=${output}`,
        join(ROOT, "scripts", `${script}.ts`),
      ],
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const why = new TextDecoder().decode(stderr).trim();
      throw new GraphError("failed", `deno bundle: ${why}`, { code: "bundle" });
    }
    const code = await Deno.readTextFile(output);
    // Names of modules begin with the path of Deno's cache.
    return code.replace(/^#!.*\n/, "").replaceAll(
      /(?:\.\.\/)*[^\s"]*?\/npm\/registry\.npmjs\.org\//g,
      "npm/",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Bundles a script into a folder; returns the path of the file. */
export async function bundle(script: ScriptName, folder: string): Promise<string> {
  const grants = grantsOf(script, {
    ...cloudHosts(await readSettings()),
    readable: [CONFIG_FOLDER, STATE_FOLDER],
    writable: [STATE_FOLDER],
  });
  const flags = grantFlags(grants).map((flag) => `"${flag}"`).join(" ");
  const header = [SHELL[0], `${SHELL[1]} deno run -q --no-prompt --no-config ${flags} "$0" "$@"`];
  const path = bundlePath(folder, script);
  await Deno.writeTextFile(path, `${header.join("\n")}\n${await bundleCode(script)}`);
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
  return path;
}

/** The folder for what is built. */
export async function outputFolder(output: string | undefined): Promise<string> {
  const folder = output === undefined ? join(ROOT, "dist") : fromCaller(output);
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}

if (import.meta.main) {
  Deno.exit(
    await runTool("deno task bundle [--output FOLDER]", async () => {
      const folder = await outputFolder(parseGrantArgs(Deno.args, ["output"]).output);
      for (const script of SCRIPTS) {
        const path = await bundle(script, folder);
        console.log(`${path}  ${Math.round((await Deno.stat(path)).size / 1024)} KiB`);
      }
    }),
  );
}
