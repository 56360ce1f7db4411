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

/** Before the folders that `get` may write to, which later installations keep. */
const DESTINATIONS = "Destinations: ";

/** The file of an installed command. */
export function commandPath(folder: string, script: ScriptName): string {
  return join(folder, `graph-${script}${WINDOWS ? ".cmd" : ""}`);
}

/** The content of that file. */
export function commandText(script: ScriptName, options: GrantOptions, os = Deno.build.os): string {
  const cache = Deno.env.get("DENO_DIR");
  const marks = [MARK, `${DESTINATIONS}${JSON.stringify(options.destinations ?? [])}`];
  const words = [
    ...[Deno.execPath(), "run", "-q", "--no-prompt", "--cached-only", "--frozen", `--config=${CONFIG}`],
    ...grantFlags(grantsOf(script, options)),
    join(ROOT, "scripts", `${script}.ts`),
    `--program=graph-${script}`,
  ];
  return os === "windows"
    ? [
      "@echo off",
      ...marks.map((mark) => `rem ${mark}`),
      ...(cache ? [`set ${batchQuoted(`DENO_DIR=${cache}`)}`] : []),
      `${words.map(batchQuoted).join(" ")} %*`,
      "",
    ].join("\r\n")
    : [
      "#!/bin/sh",
      ...marks.map((mark) => `# ${mark}`),
      ...(cache ? [`export DENO_DIR=${shellQuoted(cache, os)}`] : []),
      `exec ${words.map((word) => shellQuoted(word, os)).join(" ")} "$@"`,
      "",
    ].join("\n");
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
  const folder = binFolder();
  const given = parseGrantArgs(args, ["write", "sandbox"]);
  const write = [...await formerDestinations(folder), ...given.write];
  const options = await machineOptions({ ...given, write });
  await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  for (const script of SCRIPTS) {
    await checkFolder(commandPath(folder, script));
    await assertOurs(commandPath(folder, script));
  }
  for (const script of SCRIPTS) {
    const path = commandPath(folder, script);
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

/** The folders that an earlier installation let `get` write to, besides the current one. */
async function formerDestinations(folder: string): Promise<string[]> {
  const text = await ifExists(Deno.readTextFile(commandPath(folder, "get"))) ?? "";
  const [, list] = new RegExp(`^(?:#|rem) ${DESTINATIONS}(\\[.*\\])\r?$`, "m").exec(text) ?? [];
  return text.includes(MARK) && list ? (JSON.parse(list) as string[]).filter((path) => path !== ".") : [];
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
    if (await isForeign(path)) console.log(`kept ${path}, which was installed by something else`);
    else if (await ifExists(Deno.remove(path).then(() => true))) console.log(`removed ${path}`);
  }
}

async function isForeign(path: string): Promise<boolean> {
  const text = await ifExists(Deno.readTextFile(path));
  return text !== undefined && !text.includes(MARK);
}

async function assertOurs(path: string): Promise<void> {
  if (!await isForeign(path)) return;
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
