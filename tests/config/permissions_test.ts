/** The scripts have the permissions that SECURITY.md lists, say what to type where one is missing, and need no other. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { cloudHosts, grantsOf, pathFlags, PERMISSION_SETS, type ScriptName } from "../../lib/cli/grants.ts";
import { CLOUDS } from "../../lib/clouds.ts";
import { join } from "../../lib/std.ts";
import {
  commandLine,
  CONFIG,
  denoRun,
  FIRST_WORDS,
  firstLineFlags,
  type ProcessResult,
  ROOT,
  runProcess,
  startTestEnv,
  type TestEnv,
} from "../test_env.ts";
import { writeAppCredentials } from "../sandbox/app_credentials.ts";
import { ATTACKS, IGNORED, NOT_ASKED } from "./permission_tables.ts";

const SCRIPTS = Object.keys(PERMISSION_SETS) as ScriptName[];
const windows = Deno.build.os === "windows";

Deno.test("the first line of each script names its permission set and the folders that it needs", () => {
  const [config, state] = ["${HOME}/.config/graph-scripts", "${HOME}/.local/state/graph-scripts"];
  for (const script of SCRIPTS) {
    const grants = grantsOf(script, {
      hosts: [],
      storageHosts: [],
      readable: [config, state],
      writable: [state],
    });
    const flags = pathFlags(grants).map((flag) => flag.includes("$") ? `"${flag}"` : flag);
    const line = [`-P=${PERMISSION_SETS[script]}`, ...flags].join(" ");
    assertEquals(firstLineFlags(script), line);
    assert(`#!/usr/bin/env -S ${FIRST_WORDS} ${line}`.length < 255, script);
  }
});

Deno.test("a planted dependency cannot change deno.lock by importing another package that is cached", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const [lock, planted] = [join(folder, "deno.lock"), join(folder, "planted.js")];
    await Deno.copyFile(join(ROOT, "deno.lock"), lock);
    await Deno.writeTextFile(planted, "const name = 'npm:jsonwebtoken'; await import(name);");
    const [, ...words] = FIRST_WORDS.split(" ");
    const line = [...words, "-P=ls", "--config", CONFIG, "--lock", lock, planted];
    const { code, stderr } = await runProcess([Deno.execPath(), ...line], {});
    assert(code !== 0, stderr);
    assertEquals(await Deno.readTextFile(lock), await Deno.readTextFile(join(ROOT, "deno.lock")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the permission sets have the hosts of all clouds and the sandbox's default ports (PROTOCOL 12a)", async () => {
  const { permissions } = JSON.parse(await Deno.readTextFile(CONFIG));
  const clouds = Object.values(CLOUDS).map(cloudHosts);
  const sandbox = ["127.0.0.1:8400", "127.0.0.1:8401"];
  assertEquals(Object.keys(permissions).toSorted(), [...new Set(Object.values(PERMISSION_SETS))].toSorted());
  for (const script of SCRIPTS) {
    const { net, env, sys, ...others } = permissions[PERMISSION_SETS[script]];
    const grants = grantsOf(script, {
      hosts: [...clouds.flatMap(({ hosts }) => hosts), ...sandbox],
      storageHosts: [...clouds.flatMap(({ storageHosts }) => storageHosts), "127.0.0.1:8402"],
      readable: [],
      writable: [],
    });
    assertEquals(net.toSorted(), [...new Set(grants.net)].toSorted(), script);
    assertEquals([env, sys, others], [{ allow: grants.env, ignore: true }, ["uid"], {}], script);
  }
});

/** Runs a script by its first line, with its home folder in the folder of the test. */
async function runDirectly(
  env: TestEnv,
  script: ScriptName,
  args: string[],
  variables: Record<string, string> = {},
): Promise<ProcessResult> {
  const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.sandbox.env;
  const net = `--allow-net=${hostsOf(env).join(",")}`;
  const [deno, ...rest] = denoRun().map((word) => `'${word}'`);
  const words = [
    deno,
    ...rest,
    firstLineFlags(script),
    net,
    `'${join(ROOT, "scripts", `${script}.ts`)}'`,
    ...args,
  ];
  return await runProcess(["sh", "-c", words.join(" ")], {
    cwd: env.folder,
    env: { ...settings, HOME: env.folder, ...variables },
  });
}

function hostsOf({ sandbox }: TestEnv): string[] {
  return [sandbox.loginOrigin, sandbox.apiOrigin, sandbox.storageOrigin].map((origin) =>
    new URL(origin).host
  );
}

/** The command that an error says to type, in the same folder; with the sandbox's ports. */
function suggested(env: TestEnv, stderr: string): string[] {
  const [, command] = /allow it with: deno run -q (.+) \(NotCapable\)/.exec(stderr) ?? [];
  assert(command, stderr);
  const net = command.includes("--allow-net") ? "" : `--allow-net=${hostsOf(env).join(",")}`;
  return ["sh", "-c", `'${Deno.execPath()}' run -q ${net} ${command}`];
}

Deno.test({
  name:
    "scripts run by their first line in the folders of the home, and get writes to the current folder only",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const signedIn = await runDirectly(env, "whoami", ["--prompt"]);
    assertEquals(signedIn.code, 0, signedIn.stderr);
    assert((await Deno.stat(join(env.folder, ".local", "state", "graph-scripts"))).isDirectory);
    assertEquals((await runDirectly(env, "get", ["General/Agenda.md"])).code, 0);

    const other = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    try {
      const refused = await runDirectly(env, "get", ["General/Agenda.md", other]);
      assertEquals([refused.code, refused.stdout], [5, ""], refused.stderr);
      assertMatch(refused.stderr, /^get: missing Deno permission: Requires read access to/);

      const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.sandbox.env;
      const { code, stderr } = await runProcess(suggested(env, refused.stderr), {
        cwd: env.folder,
        env: { ...settings, HOME: env.folder },
      });
      assertEquals(code, 0, stderr);
      assert((await Deno.stat(join(other, "Agenda.md"))).isFile);
    } finally {
      await Deno.remove(other, { recursive: true });
    }
  },
});

Deno.test({
  name: "a script with its config folder elsewhere says which command may read it",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv();
    const { GRAPH_SCRIPTS_HOME } = env.sandbox.env;
    const refused = await runDirectly(env, "ls", ["General"], { GRAPH_SCRIPTS_HOME: GRAPH_SCRIPTS_HOME! });
    assertEquals([refused.code, refused.stdout], [5, ""], refused.stderr);

    const { code, stdout, stderr } = await runProcess(suggested(env, refused.stderr), {
      cwd: env.folder,
      env: env.sandbox.env,
    });
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^Agenda\.md$/m);

    const get = await runDirectly(env, "get", ["General/Agenda.md"], { XDG_CONFIG_HOME: "/srv/config" });
    assertMatch(get.stderr, / -R=\.,\/srv\/config\/graph-scripts,/);
    assertMatch(get.stderr, / -W=\.,[^ ,]+\/state\/graph-scripts /, "it reads its config only");
  },
});

Deno.test("a script that may not connect to a host says which command may", async () => {
  await using env = await startTestEnv();
  const line = denoRun("-P=ls", ...pathFlags({ read: "all", write: [env.sandbox.env.GRAPH_SCRIPTS_HOME!] }));
  const { code, stdout, stderr } = await runProcess([...line, join(ROOT, "scripts", "ls.ts")], {
    env: env.sandbox.env,
  });
  assertEquals([code, stdout], [5, ""], stderr);
  const { loginOrigin, apiOrigin } = env.sandbox; // the token of whoami does not let ls read, and must be refreshed
  const hosts = [loginOrigin, apiOrigin].map((origin) => new URL(origin).host);
  const hint = `allow it with: deno run -q --no-prompt --cached-only --frozen -P=ls --allow-net=${
    hosts.join(",")
  },127.0.0.1:0 `;
  assertStringIncludes(stderr, `may not connect to ${hosts[0]}; ${hint}`);
});

Deno.test({
  name: "a planted dependency can do only what SECURITY.md says",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv();
    const state = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
    const outside = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const other = `http://127.0.0.1:${listener.addr.port}`;
    try {
      await Deno.writeTextFile(join(outside, ".bashrc"), "# secret");
      await Deno.symlink(outside, join(state, "elsewhere"));
      const program = [
        `const [outside, state, graph, other] = Deno.args;`,
        `const attacks = {`,
        ...Object.entries(ATTACKS).map(([name, { code }]) =>
          `${JSON.stringify(name)}: async () => { ${code} },`
        ),
        `};`,
        `const allowed = [];`,
        `for (const [name, attack] of Object.entries(attacks)) {`,
        `  await attack().then(() => allowed.push(name), () => {});`,
        `}`,
        `console.log(JSON.stringify(allowed));`,
        `Deno.exit();`,
      ].join("\n");
      const planted = await env.file("planted.js", program);
      const allowed = async (...permissions: string[]) => {
        const { stdout, stderr } = await runProcess(
          denoRun("--no-prompt", ...permissions, planted, outside, state, env.sandbox.apiOrigin, other),
          { env: { ...env.sandbox.env, AWS_SECRET_ACCESS_KEY: "secret" }, cwd: env.folder },
        );
        assert(stdout, stderr);
        return JSON.parse(stdout);
      };
      await Promise.all(SCRIPTS.map(async (script) => {
        const permissions = commandLine(script, [], env.sandbox.env).filter((word) =>
          /^-(-allow|-ignore|[RW])/.test(word)
        );
        const expected = Object.keys(ATTACKS).filter((name) => ATTACKS[name]!.allowed.includes(script));
        assertEquals(await allowed(...permissions), expected, script);
      }));
      if (Deno.build.os !== "linux") return;
      // With all permissions each one works, so that it is Deno that refuses it above.
      const works = Object.keys(ATTACKS).filter((name) => !name.startsWith("download "));
      assertEquals(await allowed("-A"), works);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  },
});

/** What the scripts do in {@linkcode audited}, by script. */
const REPERTOIRE: readonly [ScriptName, string[]][] = [
  ["whoami", ["--prompt"]],
  ["whoami", ["--accounts"]],
  ["whoami", ["--check"]],
  ["ls", ["-l", "General"]],
  ["ls", ["--sites"]],
  ["ls", ["--drives"]],
  ["get", ["General/Agenda.md"]],
  ["get", ["-r", "General/Minutes", "minutes"]],
  ["get", ["General/Agenda.md", "-"]],
  ["put", ["small.txt", "General/"]],
  ["put", ["-r", "minutes", "General/copies"]],
  ["put", ["-", "General/stdin.txt"]],
  ["put-large", ["large.bin", "General/"]],
  ["put-large", ["--list"]],
  ["whoami", ["--sign-out"]],
];

/** Everything that the scripts of a permission set ask Deno for in the repertoire, as `kind value`. */
async function audited(env: TestEnv): Promise<Map<string, Set<string>>> {
  const asked = new Map<string, Set<string>>(Object.values(PERMISSION_SETS).map((set) => [set, new Set()]));
  const file = join(env.folder, "audit.jsonl");
  const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.sandbox.env;
  const user = { ...settings, HOME: env.folder };
  const appOnly = { ...user, ...await writeAppCredentials(env.sandbox, "secret") };
  const runs = [
    ...REPERTOIRE.map(([script, args]) => ({ script, args, variables: user })),
    { script: "ls", args: ["General"], variables: appOnly } as const,
  ];
  for (const { script, args, variables } of runs) {
    const { code, stderr } = await runProcess(commandLine(script, args, variables), {
      cwd: env.folder,
      env: { ...variables, DENO_AUDIT_PERMISSIONS: file },
      stdin: new TextEncoder().encode("from standard input"),
    });
    assertEquals(code, 0, `${script} ${args.join(" ")}: ${stderr}`);
    for (const line of (await Deno.readTextFile(file)).trim().split("\n")) {
      const { permission, value } = JSON.parse(line);
      asked.get(PERMISSION_SETS[script])!.add(`${permission} ${value}`);
    }
    await Deno.remove(file);
  }
  return asked;
}

Deno.test({
  name: "scripts ask for nothing else than they are granted, and what they do not ask for has a reason",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    await env.file("small.txt", "small");
    await env.file("large.bin", new Uint8Array(5_000_000));
    const ignored = new Set<string>();
    const notAsked = new Set<string>();
    for (const [set, asked] of await audited(env)) {
      const script = SCRIPTS.find((script) => PERMISSION_SETS[script] === set)!;
      const flags = commandLine(script, [], env.sandbox.env);
      const granted = (name: string) =>
        flags.find((flag) => flag.startsWith(`--allow-${name}=`))!.split("=")[1]!.split(",");
      const of = (kind: string) =>
        [...asked].filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
      const matches = (pattern: string, name: string) =>
        pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
      for (const name of of("env")) {
        if (!granted("env").some((pattern) => matches(pattern, name))) ignored.add(name);
      }
      for (const pattern of granted("env")) {
        if (!of("env").some((name) => matches(pattern, name))) notAsked.add(pattern);
      }
      for (const host of granted("net")) if (!of("net").includes(host)) notAsked.add(host);
      const kinds = new Set([...asked].map((line) => line.split(" ")[0]));
      assert(
        of("import").every((host) => host.startsWith("https://jsr.io/@std/")),
        `${script} imports from ${of("import")}`,
      );
      const others = kinds.difference(new Set(["env", "net", "read", "write", "sys", "import"]));
      assertEquals([...others, ...of("sys")], ["uid"], script);
    }
    assertEquals([...ignored].toSorted(), Object.keys(IGNORED).toSorted());
    assertEquals([...notAsked].toSorted(), Object.keys(NOT_ASKED).toSorted());
  },
});
