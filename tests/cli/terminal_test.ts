// deno-lint-ignore-file no-console no-control-regex -- it reports skipped tests and checks terminal codes
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { commandLine, environment, pseudoRandomBytes, type ScriptName, startTestEnv } from "../test_env.ts";
import { replaceControlCharacters } from "../../lib/cli/output.ts";
import { ProgressLine } from "../../lib/cli/progress.ts";

/** `script` of util-linux gives a process a terminal; elsewhere these tests are skipped. */
const hasTerminals = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);
if (!hasTerminals) console.warn("skipped: tests on a terminal, for `script` of util-linux is not here");

async function onTerminal(
  env: Awaited<ReturnType<typeof startTestEnv>>,
  script: ScriptName,
  ...args: string[]
) {
  const quoted = commandLine(script, args, env.sandbox.env).map((word) =>
    `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", quoted, "/dev/null"],
    clearEnv: true,
    env: { ...environment(env.sandbox.env), TERM: "xterm", SHELL: "/bin/sh" },
    cwd: env.folder,
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

Deno.test({
  name: "scripts on a terminal prompt for sign-in and show progress with rate and time left",
  ignore: !hasTerminals,
  fn: async () => {
    await using env = await startTestEnv({ signIn: false });
    const file = await env.file("big.bin", pseudoRandomBytes(12 * 327_680));
    env.sandbox.addFault({ service: "storage", method: "PUT", times: "always", delayMs: 150 });
    const { code, text } = await onTerminal(env, "put-large", "--fragment-size", "320KiB", file, "General/");
    assertEquals(code, 0, text);
    assertMatch(text, /enter the code \w+/);
    assertMatch(text, /\r\x1b\[K\d+ % of 3\.8 MiB {2}\S+ MiB\/s {2}0:0\d left/);
    assertMatch(text, /\r\x1b\[Kcreated General\/big\.bin \(3\.8 MiB, verified\)\r\n$/);
    assert(
      !/left/.test((await onTerminal(env, "put-large", "--quiet", file, "General/")).text),
      "drawn although --quiet",
    );
    assert(
      / left/.test(
        (await onTerminal(env, "put-large", "--json", "--fragment-size", "320KiB", file, "me:")).text,
      ),
      "progress depends on standard output",
    );
    assertEquals((await env.run("put-large", file, "General/")).stderr, "");
  },
});

Deno.test({
  name: "scripts with --no-prompt do not prompt even on a terminal",
  ignore: !hasTerminals,
  fn: async () => {
    await using env = await startTestEnv({ signIn: false });
    const { code, text } = await onTerminal(env, "ls", "--no-prompt");
    assertEquals(code, 4);
    assertMatch(text, /not signed in/);
  },
});

Deno.test("progress lines fit the terminal", () => {
  for (const columns of [10, 40, 80]) {
    const drawn: string[] = [];
    const line = new ProgressLine((text) => drawn.push(text), () => columns);
    for (const doneBytes of [0, 1000]) {
      line.update(() => ({ label: "12345 of 67890 files  ", doneBytes, totalBytes: 1000 }));
      line.clear();
    }
    const texts = drawn.map((text) => text.replace("\r\x1b[K", "")).filter(Boolean);
    assertEquals(texts.length, 2);
    for (const text of texts) assert(text.length < columns, text);
  }
});

Deno.test({
  name: "put -r on a terminal shows how many files are done, and a summary",
  ignore: !hasTerminals,
  fn: async () => {
    await using env = await startTestEnv();
    await Deno.mkdir(`${env.folder}/many`);
    for (let i = 0; i < 40; i++) await env.file(`many/${i}.txt`, "x".repeat(100));
    env.sandbox.addFault({ service: "graph", method: "PUT", times: "always", delayMs: 50 });
    const { code, text } = await onTerminal(env, "put", "-r", "many", "General/many");
    assertEquals(code, 0, text);
    assertMatch(text, /\r\x1b\[K\d+ of 40 files {2}\d+ % of 3\.9 KiB/);
    assertMatch(text, /put: 40 created \(3\.9 KiB\), in 0:\d\d\r\n$/);
  },
});

Deno.test("replaceControlCharacters() escapes only invisible characters and those that move others", () => {
  const cases: [text: string, shown: string][] = [
    ["a\u001b[31mb\u0000\u009bc\u007f", "a\\u001b[31mb\\u0000\\u009bc\\u007f"],
    ["a\nb\r\tc", "a\\nb\\r\\tc"],
    ["a\u2028b\u2029c", "a\\u2028b\\u2029c"],
    ["\u202ea\u2066b\u200e\u061c", "\\u202ea\\u2066b\\u200e\\u061c"],
    ["a\u200bb\ufeff\u00ad\u2060", "a\\u200bb\\ufeff\\u00ad\\u2060"],
    ["\u3164\u{e0041}\ud800", "\\u3164\\u{e0041}\\ud800"],
    [
      "Größe שלום 文件 👩\u200d💻 ❤\ufe0f می\u200cخواهم C:\\x e\u0301",
      "Größe שלום 文件 👩\u200d💻 ❤\ufe0f می\u200cخواهم C:\\x e\u0301",
    ],
  ];
  for (const [text, shown] of cases) assertEquals(replaceControlCharacters(text), shown);
});
