/**
 * Installs the scripts as commands, `graph-whoami` … `graph-put-large`, each with its permissions spelt out for this machine
 * and its settings.
 *
 *     deno task install [--write FOLDER]… [--sandbox]
 *     deno task uninstall
 *
 * The commands are small files in the folder of `deno install -g`; they run the scripts of this repository. `deno install -g`
 * itself would resolve the packages anew, without the lock.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints for users
import { grantFlags, type GrantOptions, grantsOf, type ScriptName } from "../../lib/cli/grants.ts";
import { GraphError, usageError } from "../../lib/errors.ts";
import { ifExists, rename, statIfExists } from "../../lib/local/local_file.ts";
import { checkFolder, shellQuoted } from "../../lib/local/private_file.ts";
import { CONFIG_FILE, platformFolders } from "../../lib/settings.ts";
import { dirname, join } from "../../lib/std.ts";
import { CONFIG, ROOT } from "../test_env.ts";
import {
  describeGrants,
  fromCaller,
  GRANT_USAGE,
  machineOptions,
  parseGrantArgs,
  runTool,
  SCRIPTS,
} from "./machine_grants.ts";

const WINDOWS = Deno.build.os === "windows";
/** Tells our files from those of others. */
const MARK = "Written by graph-scripts: deno task install";

/** The file of an installed command. */
export function commandPath(folder: string, script: ScriptName): string {
  return join(folder, `graph-${script}${WINDOWS ? ".cmd" : ""}`);
}

/** The content of that file. */
export function commandText(script: ScriptName, options: GrantOptions, os = Deno.build.os): string {
  const words = [
    ...[Deno.execPath(), "run", "-q", "--no-prompt", "--cached-only", "--frozen", `--config=${CONFIG}`],
    ...grantFlags(grantsOf(script, options)),
    join(ROOT, "scripts", `${script}.ts`),
    `--program=graph-${script}`,
  ];
  return os === "windows"
    ? `@echo off\r\nrem ${MARK}\r\n${words.map(batchQuoted).join(" ")} %*\r\n`
    : `#!/bin/sh\n# ${MARK}\nexec ${words.map((word) => shellQuoted(word, os)).join(" ")} "$@"\n`;
}

/** A path or option as one word of a batch file. They hold no quotation marks. */
function batchQuoted(word: string): string {
  return `"${word.replaceAll("%", "%%").replace(/\\+$/, "$&$&")}"`;
}

/** Where commands are installed: the folder of `deno install -g`. */
function binFolder(): string {
  const root = Deno.env.get("DENO_INSTALL_ROOT");
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (root) return join(fromCaller(root), "bin");
  if (home) return join(fromCaller(home), ".deno", "bin");
  throw usageError("no home folder: HOME is not set", "set DENO_INSTALL_ROOT to a folder of yours");
}

async function install(args: string[]): Promise<void> {
  if (Deno.build.os === "darwin") await moveOldFolder(Deno.env.get("HOME") ?? "");
  const options = await machineOptions(parseGrantArgs(args, ["write", "sandbox"]));
  const folder = binFolder();
  await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  for (const script of SCRIPTS) {
    const path = commandPath(folder, script);
    await checkFolder(path);
    await assertOurs(path);
    await replaceFile(path, commandText(script, options));
    console.log([path, ...describeGrants(grantsOf(script, options))].join("\n"));
  }
  const paths = (Deno.env.get("PATH") ?? "").split(WINDOWS ? ";" : ":");
  if (!paths.includes(folder)) {
    console.log(
      `\n${folder} is not on the path; add it with: ${
        WINDOWS ? `set "PATH=${folder};%PATH%"` : `export PATH=${shellQuoted(folder)}:"$PATH"`
      }`,
    );
  }
}

/** Writes an executable file under another name and renames it, so that no symlink is followed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.writeTextFile(temporary, text, { createNew: true });
  if (!WINDOWS) await Deno.chmod(temporary, 0o755);
  await rename(temporary, path);
}

/** Moves what earlier versions kept on macOS to the folders of today, once. */
export async function moveOldFolder(home: string): Promise<void> {
  const old = join(home, "Library", "Application Support", "graph-scripts");
  const { config, state } = platformFolders(undefined, (name) => name === "HOME" ? home : undefined);
  if (!await statIfExists(old) || await statIfExists(state)) return;
  for (const folder of [dirname(state), config]) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.rename(old, state);
  await ifExists(Deno.rename(join(state, CONFIG_FILE), join(config, CONFIG_FILE)));
  console.log(`moved ${old} to ${state} and ${config}\n`);
}

async function uninstall(args: string[]): Promise<void> {
  parseGrantArgs(args, []);
  for (const script of SCRIPTS) {
    const path = commandPath(binFolder(), script);
    await assertOurs(path);
    if (await ifExists(Deno.remove(path).then(() => true))) console.log(`removed ${path}`);
  }
}

async function assertOurs(path: string): Promise<void> {
  const text = await ifExists(Deno.readTextFile(path));
  if (text === undefined || text.includes(MARK)) return;
  throw new GraphError("conflict", `${path} was installed by something else`, {
    code: "foreignCommand",
    hint: "remove it first",
  });
}

if (import.meta.main) {
  const [task, ...args] = Deno.args;
  Deno.exit(
    task === "uninstall"
      ? await runTool("deno task uninstall", () => uninstall(args))
      : await runTool(`deno task install ${GRANT_USAGE}`, () => install(args)),
  );
}
