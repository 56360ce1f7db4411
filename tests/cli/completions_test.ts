/** What shells complete; those that are not installed are compared with the text that they evaluate. */

import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { completionScript, type Shell } from "../../lib/cli/completions.ts";
import type { CommandHelp } from "../../lib/cli/help.ts";
import { get } from "../../scripts/get.ts";
import { ls } from "../../scripts/ls.ts";
import { whoami } from "../../scripts/whoami.ts";
import { runProcess, startTestEnv } from "../test_env.ts";

async function isInstalled(program: string): Promise<boolean> {
  const version = new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" });
  return await version.output().then(({ success }) => success, () => false);
}

const CASES: readonly (readonly [command: CommandHelp, typed: string[], completed: string[]])[] = [
  [ls, ["ls.ts", "--dr"], ["--drive", "--drives"]],
  [ls, ["ls.ts", "--recu"], ["--recursive"]],
  [ls, ["ls.ts", "--sign-in", ""], ["browser", "device"]],
  [get, ["get.ts", "--conflict", "re"], ["replace", "resume"]],
  [get, ["get.ts", "General", "--cloud", "us"], ["usdod", "usgov"]],
  [get, ["get.ts", "--account", "re"], []],
  [whoami, ["whoami.ts", "--for", ""], ["links", "teams"]],
  [whoami, ["whoami.ts", "--completions", "f"], ["fish"]],
];

/** What a shell completes, without descriptions, in alphabetical order. */
async function completions(shell: "bash" | "fish", command: CommandHelp, typed: string[]): Promise<string[]> {
  const script = completionScript(command, shell);
  const [, functionName] = /^(_graph_\w+)\(\)/.exec(script) ?? [];
  const words = shell === "bash"
    ? ["bash", "--norc", "-c", `${script}\n${CALL_BASH.replace("FUNCTION", functionName!)}`, "-", ...typed]
    : ["fish", "--no-config", "-c", `${script}\ncomplete -C "$argv"`, typed.join(" ")];
  const { code, stdout, stderr } = await runProcess(words, {});
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("\n").filter(Boolean).map((line) => line.split("\t")[0]!).toSorted();
}

const CALL_BASH = 'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); FUNCTION; printf "%s\\n" "${COMPREPLY[@]}"';

for (const shell of ["bash", "fish"] as const) {
  const ignore = !await isInstalled(shell);
  Deno.test({
    name: `${shell} completes options and their values`,
    ignore,
    async fn() {
      for (const [command, typed, completed] of CASES) {
        assertEquals(await completions(shell, command, typed), completed, typed.join(" "));
      }
    },
  });
}

Deno.test({
  name: "bash completes --option=value, which is three words there",
  ignore: !await isInstalled("bash"),
  async fn() {
    assertEquals(await completions("bash", get, ["get.ts", "--conflict", "=", "sk"]), ["skip"]);
    assertEquals(await completions("bash", get, ["get.ts", "--conflict", "="]), [
      "fail",
      "replace",
      "resume",
      "skip",
    ]);
  },
});

Deno.test({
  name: "zsh accepts the completions of each script",
  ignore: !await isInstalled("zsh"),
  async fn() {
    for (const command of [whoami, ls, get]) {
      const script = `autoload -U compinit && compinit -u -D\n${completionScript(command, "zsh")}`;
      const { code, stdout, stderr } = await runProcess(
        ["zsh", "-fc", `${script}\nprint $_comps[${command.name}.ts]`],
        {},
      );
      assertEquals([code, stdout, stderr], [0, `_graph_${command.name}\n`, ""]);
    }
  },
});

Deno.test("completions have names, values and escaped descriptions in the words of each shell", () => {
  const lines: [CommandHelp, Shell, string][] = [
    [get, "bash", "complete -o default -F _graph_get get.ts"],
    [ls, "bash", "complete -F _graph_ls ls.ts"],
    [get, "zsh", "'(-r --recursive)'{-r,--recursive}'[include folders; skip what is up to date]'"],
    [get, "zsh", "'--conflict=[if it exists]:value:(fail replace skip resume)'"],
    [get, "zsh", "'*:file:_files'"],
    [ls, "zsh", "'--site=[default site\\: HOST/sites/NAME, or NAME]:value:()'"],
    [ls, "fish", "complete -c ls.ts -f"],
    [ls, "fish", "complete -c ls.ts -l recursive -s R -d 'include the contents of folders'"],
    [get, "fish", "complete -c get.ts -l conflict -xa 'fail replace skip resume' -d 'if it exists'"],
    [get, "pwsh", "Register-ArgumentCompleter -Native -CommandName 'get.ts' -ScriptBlock {"],
    [get, "pwsh", "    '--conflict' = 'fail', 'replace', 'skip', 'resume'"],
    [get, "pwsh", "$known = '--recursive', '--include', "],
  ];
  for (const [command, shell, line] of lines) {
    assertStringIncludes(completionScript(command, shell), line);
  }
  const quoted = { ...ls, options: { x: { type: "switch", help: "it's [\\] a:b" } } } as const;
  assertStringIncludes(completionScript(quoted, "zsh"), "'--x[it'\\''s \\[\\\\\\] a\\:b]'");
  assertStringIncludes(completionScript(quoted, "fish"), "-d 'it\\'s [\\\\] a:b'");
});

Deno.test("scripts print completions without arguments and sign-in, and suggest a mistyped option", async () => {
  await using env = await startTestEnv({ signIn: false });

  assertMatch((await env.run("put", "--completions", "zsh")).stdout, /^#compdef put\.ts\n/);
  assertEquals((await env.run("put", "--completions", "tcsh")).code, 2);
  const suggestions: [typed: string, line: RegExp][] = [
    ["--recusive", /unknown option --recusive; did you mean --recursive\? \(/],
    ["--if-chnaged", /did you mean --if-changed\?/],
    ["--dry", /did you mean --dry-run\?/],
    ["--overwrite", /unknown option --overwrite; see scripts\/put\.ts --help \(/],
    ["-x", /unknown option -x; see/],
  ];
  for (const [typed, line] of suggestions) {
    const { code, stderr } = await env.run("put", typed, "a", "b");
    assertEquals(code, 2);
    assertMatch(stderr, line);
  }
});
