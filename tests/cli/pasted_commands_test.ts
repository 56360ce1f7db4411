/** Commands in hints do what they say when they are pasted, whatever names are in them. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../assert.ts";
import { grantHint, missingPermission } from "../../lib/cli/grants.ts";
import { withHint } from "../../lib/cli/hints.ts";
import { GraphError } from "../../lib/errors.ts";
import { StorageClient } from "../../lib/graph/storage.ts";
import type { HttpClient } from "../../lib/http/client.ts";
import { toGraphError } from "../../lib/local/local_error.ts";
import { shellQuoted } from "../../lib/local/private_file.ts";
import { platformFolders, readSettings } from "../../lib/settings.ts";
import { join } from "../../lib/std.ts";
import { denoRun, ROOT, runProcess } from "../test_env.ts";

const windows = Deno.build.os === "windows";
const NAMES = [
  "a b",
  "$(id)",
  "`id`",
  "it's",
  'q"q',
  "-rf",
  "x;id",
  "a&b",
  "=ls",
  "~",
  "*",
  "",
  "a\\",
  "{a,b}",
];

/** Runs `ls` or a small program, in a folder of its own or another. */
function runInFolder(script: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  return runProcess(denoRun("-A", "--no-prompt", script, ...args), { cwd, env });
}

Deno.test({
  name: "quoted names are one word of a POSIX shell, unchanged",
  ignore: windows,
  async fn() {
    const { stdout } = await runProcess(
      ["sh", "-c", `printf '%s\\n' ${NAMES.map((name) => shellQuoted(name)).join(" ")}`],
      {},
    );
    assertEquals(stdout, `${NAMES.join("\n")}\n`);
    assertEquals(shellQuoted("=ls", "linux"), "'=ls'"); // zsh would make it the path of ls
  },
});

Deno.test("quoted names do not end or expand in cmd and PowerShell", () => {
  const cases: [string, string][] = [
    ["C:\\Users\\me", "C:\\Users\\me"],
    ["C:\\My files\\", '"C:\\My files\\\\"'], // `\"` would not end the word
    ['x" & calc & "', '"x| & calc & |"'],
    ["x\u201d; calc", '"x|; calc"'],
    ["$(calc) `n", '"|(calc) |n"'],
    ["%CMDCMDLINE:~-1%", '"|CMDCMDLINE:~-1|"'],
    ["a,b", '"a,b"'],
  ];
  for (const [name, expected] of cases) assertEquals(shellQuoted(name, "windows"), expected);
});

Deno.test("hints quote accounts and sites, which come from links, variables and the service", () => {
  for (const code of ["notSignedIn", "otherAccount", "siteNotFound"]) {
    const error = new GraphError("notFound", "failed", { code, subject: "x;touch pwned" });
    const { hint = "" } = withHint(error, "ls");
    assertStringIncludes(hint, windows ? '"x;touch pwned"' : "'x;touch pwned'", code);
  }
});

/** What `get` says to type where Deno refuses to read a path. */
async function hintFor(path: string, settings: Record<string, string> = {}): Promise<string> {
  const refusal = new Deno.errors.NotCapable(
    `Requires read access to "${path}", run again with the --allow-read flag`,
  );
  const missing = missingPermission(toGraphError(refusal));
  assert(missing, path);
  const env = (name: string) =>
    ({ HOME: "/home/me", APPDATA: "C:\\a", LOCALAPPDATA: "C:\\l", ...settings })[name];
  return grantHint(missing, { script: "get", args: [], settings: await readSettings({}, env, {}), env });
}

Deno.test("a hint allows the refused path, not one that its name begins with", async () => {
  assertMatch(await hintFor('/srv/a" b'), /-R=\.,\/srv\/a" b,/);
  const comma = "Deno's permissions cannot name a path with a comma: choose another";
  assertEquals(await hintFor("/srv/x,/home"), comma);
  assertEquals(await hintFor("/srv/x", { GRAPH_TOKEN_CACHE: "/tmp/a,/home/cache.json" }), comma);
});

Deno.test("no hint allows everything, where Deno protects a file of processes", () => {
  const refusal = 'Requires all access to "/proc/self/environ", run again with the --allow-all flag';
  const { hint } = withHint(toGraphError(new Deno.errors.NotCapable(refusal)), "put");
  assertEquals(hint, "Deno protects such files, of processes and devices: use a copy of it");
});

Deno.test("hints run the script by its whole path, except in the folder of the toolkit", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const script = join(ROOT, "scripts", "ls.ts");
    const here = await runInFolder(script, ["--wrong"], ROOT);
    assertMatch(here.stderr, /see scripts\/ls\.ts --help/);
    const elsewhere = await runInFolder(script, ["--wrong"], folder);
    assertStringIncludes(elsewhere.stderr, `see ${shellQuoted(script)} --help`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a bundle in a folder with an odd name is quoted in hints", async () => {
  const base = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const folder = join(base, "$(id) it's");
    await Deno.mkdir(folder);
    const path = join(folder, "whoami.js");
    const module = new URL("../../lib/cli/program.ts", import.meta.url).href;
    await Deno.writeTextFile(
      path,
      `import { commandName } from "${module}"; console.log(commandName("ls"));`,
    );
    const { stdout } = await runInFolder(path, [], base);
    assertEquals(stdout.trim(), shellQuoted(join(folder, "ls.js")));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});

Deno.test("only names of installed commands are taken from the first argument", async () => {
  const { code, stdout, stderr } = await runInFolder(
    join(ROOT, "scripts", "ls.ts"),
    ["--program=\x1b[31mx", "--version"],
    ROOT,
  );
  assertEquals([code, stdout], [2, ""], stderr);
  assertMatch(stderr, /^ls: unknown option --program/);
});

const ODD_HOSTS = ["$(id).sharepoint.com", "a,evil.example,b.sharepoint.com", "a;b.sharepoint.com"];

Deno.test("settings and the service cannot name a host that a shell or Deno's lists would read differently", async () => {
  const storage = new StorageClient({} as HttpClient, ["*.sharepoint.com"]);
  assert(storage.accepts("https://contoso-my.sharepoint.com/x"));
  const read = (env: Record<string, string>) =>
    readSettings({}, (name) => ({ GRAPH_SCRIPTS_HOME: "/x", ...env })[name], {});
  for (const host of ODD_HOSTS) {
    assert(!storage.accepts(`https://${host}/x`), host);
    for (const name of ["GRAPH_LOGIN_ORIGIN", "GRAPH_API_ORIGIN"]) {
      const error = await assertRejects(() => read({ [name]: `https://${host}` }));
      assertEquals((error as GraphError).code, "invalidSetting", host);
    }
  }
  for (const hosts of ["*", "*.", "*:443", '"$(id)"', "a.example,*.*"]) {
    const error = await assertRejects(() => read({ GRAPH_STORAGE_HOSTS: hosts }));
    assertMatch((error as Error).message, /^GRAPH_STORAGE_HOSTS: .* is not a host$/);
  }
  const { storageHosts } = await read({ GRAPH_STORAGE_HOSTS: "*.sharepoint.com, 127.0.0.1:8402 [::1]:1" });
  assertEquals(storageHosts, ["*.sharepoint.com", "127.0.0.1:8402", "[::1]:1"]);
});

Deno.test({
  name: "relative XDG folders are ignored, and a relative home is none",
  ignore: windows,
  fn() {
    const relative = { XDG_CONFIG_HOME: ".", XDG_STATE_HOME: "state", HOME: "/home/me" };
    const folders = (env: Record<string, string>) => platformFolders(undefined, (name) => env[name]);
    assertEquals(folders(relative), {
      config: "/home/me/.config/graph-scripts",
      state: "/home/me/.local/state/graph-scripts",
    });
    try {
      folders({ HOME: "home" });
    } catch (error) {
      return assertMatch((error as Error).message, /^no home folder/);
    }
    throw new Error("accepted");
  },
});
