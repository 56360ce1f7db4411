/** The installer writes its commands where nobody else can swap them, and quotes every path. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { denoRun, type ProcessResult, ROOT, runProcess } from "../test_env.ts";
import { commandText } from "./install.ts";

const ignore = Deno.build.os === "windows";

/** A folder with an odd name, which is gone after the test. */
async function startFolder(): Promise<{ path: string } & AsyncDisposable> {
  const base = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const path = join(base, "$(id) it's");
  await Deno.mkdir(path);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(base, { recursive: true }) };
}

function install(env: Record<string, string>, ...args: string[]): Promise<ProcessResult> {
  const line = denoRun("-A", join(ROOT, "tests", "tools", "install.ts"), "install", ...args);
  return runProcess(line, { env });
}

Deno.test({
  name: "an installed command replaces a symlink, and leaves the file alone to which it leads",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const bin = join(folder.path, "bin");
    const [link, elsewhere] = [join(bin, "graph-ls"), join(folder.path, "elsewhere")];
    await Deno.mkdir(bin);
    await Deno.symlink(elsewhere, link);
    const { code, stderr } = await install({ HOME: folder.path, DENO_INSTALL_ROOT: folder.path });
    assertEquals(code, 0, stderr);
    assert((await Deno.lstat(link)).isFile);
    const names = (await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name)).toSorted();
    assertEquals(names, ["bin"]);
    assertEquals((await Array.fromAsync(Deno.readDir(bin))).length, 5);
  },
});

Deno.test({
  name: "nothing is installed in a folder to which other users may write",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const bin = join(folder.path, "bin");
    await Deno.mkdir(bin);
    await Deno.chmod(bin, 0o777);
    const { code, stderr } = await install({ HOME: folder.path, DENO_INSTALL_ROOT: folder.path });
    assertEquals(code, 5, stderr);
    assertMatch(stderr, /may write to the folder .*graph-whoami; fix it with: chmod go-w /);
    assertEquals(await Array.fromAsync(Deno.readDir(bin)), []);
  },
});

Deno.test({
  name:
    "the command that adds the folder to the path can be pasted, and a relative folder counts from the caller",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const { code, stdout, stderr } = await install({
      HOME: folder.path,
      DENO_INSTALL_ROOT: "tools",
      INIT_CWD: folder.path,
      PATH: "/usr/bin:/bin",
    });
    assertEquals(code, 0, stderr);
    const [, command] = /add it with: (.*)/.exec(stdout) ?? [];
    const { stdout: found } = await runProcess(["sh", "-c", `${command}; command -v graph-ls`], {
      env: { PATH: "/usr/bin:/bin" },
    });
    assertEquals(found, `${join(folder.path, "tools", "bin", "graph-ls")}\n`);
  },
});

Deno.test({
  name: "nothing is installed without a home folder, or where the user may not write",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const homeless = await install({ HOME: "", DENO_INSTALL_ROOT: "", GRAPH_SCRIPTS_HOME: folder.path });
    assertEquals(homeless.code, 2, homeless.stderr);
    assertStringIncludes(homeless.stderr, "no home folder: HOME is not set; set DENO_INSTALL_ROOT");

    const file = join(folder.path, "file");
    await Deno.writeTextFile(file, "");
    const blocked = await install({ HOME: folder.path, DENO_INSTALL_ROOT: file });
    assertEquals(blocked.code, 2, blocked.stderr);
    assertMatch(blocked.stderr, /^a segment of the path is not a folder/);
  },
});

Deno.test("installed commands on Windows take paths with percent signs and backslashes at their end", () => {
  const options = { hosts: [], storageHosts: [], readable: ["C:\\100%\\"], writable: ["C:\\"] };
  const text = commandText("ls", options, "windows");
  assertStringIncludes(text, ' "-R=C:\\100%%\\\\" "-W=C:\\\\" ');
});

Deno.test({
  name: "commands that are installed during a rehearsal work for the cloud as well",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const { code, stderr } = await install({
      HOME: folder.path,
      GRAPH_LOGIN_ORIGIN: "http://127.0.0.1:8400",
      GRAPH_API_ORIGIN: "http://127.0.0.1:8401",
      GRAPH_SCRIPTS_HOME: join(folder.path, ".local", "state", "graph-scripts", "sandbox-1"),
      DENO_DIR: join(folder.path, "cache"),
    }, "--sandbox");
    assertEquals(code, 0, stderr);
    const text = await Deno.readTextFile(join(folder.path, ".deno", "bin", "graph-ls"));
    const [, net] = /--allow-net=([^' ]+)/.exec(text)!;
    assertEquals(net!.split(","), [
      "login.microsoftonline.com:443",
      "graph.microsoft.com:443",
      "127.0.0.1:8400",
      "127.0.0.1:8401",
      "127.0.0.1:0",
    ]);
    assertStringIncludes(text, ".config/graph-scripts");
    assertStringIncludes(text, "export DENO_DIR=");
  },
});

Deno.test({
  name: "a command of something else is kept, and then nothing is installed",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const bin = join(folder.path, ".deno", "bin");
    await Deno.mkdir(bin, { recursive: true });
    await Deno.writeTextFile(join(bin, "graph-put"), "#!/bin/sh\n");
    const { code, stderr } = await install({ HOME: folder.path });
    assertEquals([code, (await Array.fromAsync(Deno.readDir(bin))).length], [6, 1], stderr);

    const line = denoRun("-A", join(ROOT, "tests", "tools", "install.ts"), "uninstall");
    const removed = await runProcess(line, { env: { HOME: folder.path } });
    assertEquals([removed.code, (await Array.fromAsync(Deno.readDir(bin))).length], [0, 1], removed.stderr);
  },
});

Deno.test({
  name: "a setting with a relative path cannot be installed",
  ignore,
  async fn() {
    await using folder = await startFolder();
    const { code, stderr } = await install({ HOME: folder.path, GRAPH_SCRIPTS_HOME: "relative" });
    assertEquals(code, 2);
    assertMatch(stderr, /^relative is not an absolute path; correct it in the settings/);
  },
});
