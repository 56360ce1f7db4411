/** Runs programs to their end. */

/** Runs a command; kills it at once when the signal comes, since some react to nothing else. */
export async function runUnlessAborted(
  command: Deno.Command,
  signal: AbortSignal,
): Promise<Deno.CommandOutput> {
  signal.throwIfAborted();
  const child = command.spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended just now: Ctrl+C reaches it, too.
    }
  };
  signal.addEventListener("abort", kill);
  try {
    return await child.output();
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** A client's program with its arguments and surroundings. */
export interface Program {
  program: string;
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
  /** Gets all that the program has printed so far, each time that it prints. */
  onText: (text: string) => void;
}

/** A client that is silent and still there after this time is stuck. */
const MAX_RUN_MS = 120_000;
const SHOWN_CHARACTERS = 600;

/**
 * Runs a client's program.
 *
 * @returns its standard output
 * @throws {Error} with the end of what it has printed, unless it exits with 0
 */
export async function runProgram({ program, args, env, cwd, onText }: Program): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), MAX_RUN_MS);
  let [stdout, all] = ["", ""];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      all += text;
      onText(all);
    }
  };
  const [{ code }] = await Promise.all([
    child.status,
    read(child.stdout, (text) => stdout += text),
    read(child.stderr, () => {}),
  ]);
  clearTimeout(timer);
  if (code === 0) return stdout;
  throw new Error(`${program} exits with ${code}: …${all.trim().slice(-SHOWN_CHARACTERS)}`);
}
