// deno-lint-ignore-file no-console -- prints for users
/**
 * The main job, as a newcomer would do it: the five scripts as real processes with minimal permissions, against
 * a sandbox. Prints a table of the results; the exit code is not 0 if any differs from the expected one.
 *
 * @module
 */
import { dirname, join } from "../lib/std.ts";
import { commandLine, type ProcessResult, ROOT, runProcess, type ScriptName } from "./test_env.ts";
import { startSandbox } from "./sandbox/mod.ts";

interface Step {
  script: ScriptName;
  args: string[];
  /** The expected result, as shown in the table. */
  expected: string;
  holds: (ended: ProcessResult) => boolean | Promise<boolean>;
}

interface Row {
  step: string;
  expected: string;
  ok: boolean;
  seconds: number;
}

async function sha256(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

function steps(folder: string, large: string): Step[] {
  const note = join(folder, "notes.txt");
  const copy = join(folder, "copy-of-deno");
  return [
    {
      script: "whoami",
      args: ["--prompt"],
      expected: "signs in with a device code",
      holds: ({ stdout, stderr }) => /enter the code \w+/.test(stderr) && stdout.startsWith("Adele Vance"),
    },
    {
      script: "whoami",
      args: ["--no-prompt"],
      expected: "is remembered: no code",
      holds: ({ stdout, stderr }) => stderr === "" && stdout.startsWith("Adele Vance"),
    },
    {
      script: "ls",
      args: ["General"],
      expected: "lists the site's folder",
      holds: ({ stdout }) => stdout.includes("Agenda.md\n"),
    },
    {
      script: "put",
      args: [note, "General/notes.txt"],
      expected: "creates it",
      holds: ({ stdout }) => stdout.startsWith("created "),
    },
    {
      script: "put",
      args: [note, "General/notes.txt"],
      expected: "replaces it",
      holds: ({ stdout }) => stdout.startsWith("replaced "),
    },
    {
      script: "put-large",
      args: [large, "General/deno"],
      expected: "creates it through an upload session",
      holds: ({ stdout }) => stdout.startsWith("created ") && stdout.includes("verified"),
    },
    {
      script: "ls",
      args: ["-l", "General"],
      expected: "shows both, with their sizes",
      holds: async ({ stdout }) =>
        stdout.includes(String((await Deno.stat(large)).size)) && stdout.includes("notes.txt"),
    },
    {
      script: "get",
      args: ["General/deno", copy],
      expected: "brings back the same SHA-256",
      holds: async () => await sha256(copy) === await sha256(large),
    },
  ];
}

/** The command as a user types it in the folder of the repository. */
function typed(line: readonly string[]): string {
  const [, ...args] = line;
  const short = args.map((arg) => arg.startsWith(ROOT) ? arg.slice(ROOT.length) : arg);
  return ["deno", ...short].map((arg) => /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`).join(" ");
}

async function run(step: Step, env: Record<string, string>): Promise<Row> {
  const line = commandLine(step.script, step.args, env, [dirname(step.args.at(-1) ?? "")]);
  console.log(`$ ${typed(line)}`);
  const started = performance.now();
  const ended = await runProcess(line, { env, cwd: ROOT });
  const seconds = (performance.now() - started) / 1000;
  console.log(`${ended.stderr}${ended.stdout}`);
  const ok = ended.code === 0 && await step.holds(ended);
  if (!ok) console.log(`!! not as expected (exit code ${ended.code}): ${step.expected}\n`);
  return {
    step: `${step.script} ${step.args.map((arg) => arg.split("/").slice(-2).join("/")).join(" ")}`,
    expected: step.expected,
    ok,
    seconds,
  };
}

function table(rows: readonly Row[]): string {
  const width = (pick: (row: Row) => string) => Math.max(...rows.map((row) => pick(row).length));
  const [first, second] = [width(({ step }) => step), width(({ expected }) => expected)];
  return rows.map(({ step, expected, ok, seconds }) =>
    `${ok ? "ok  " : "FAIL"}  ${step.padEnd(first)}  ${expected.padEnd(second)}  ${
      seconds.toFixed(2).padStart(5)
    } s`
  ).join("\n");
}

async function demo(): Promise<boolean> {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-demo-" });
  try {
    const large = Deno.execPath();
    await Deno.writeTextFile(join(folder, "notes.txt"), "Minutes of the meeting: everything works.\n");
    console.log(
      `A sandbox stands in for Microsoft 365: sign-in at ${sandbox.loginOrigin}, Graph at ${sandbox.apiOrigin}.`,
    );
    console.log(
      "Its user approves the device code. Each script runs with only its own permission set.\n",
    );
    const rows: Row[] = [];
    for (const step of steps(folder, large)) rows.push(await run(step, sandbox.env));
    console.log(`SHA-256 of the file sent      ${await sha256(large)}`);
    console.log(
      `SHA-256 of the file received  ${await sha256(join(folder, "copy-of-deno")).catch((error: Error) =>
        error.message
      )}\n`,
    );
    console.log(table(rows));
    return rows.every(({ ok }) => ok);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const ok = await demo();
  console.log(ok ? "\nEverything is as it must be." : "\nSomething differs: see FAIL above.");
  Deno.exit(ok ? 0 : 1);
}
