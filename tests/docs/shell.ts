/** A POSIX shell in which the commands of the documentation run, line by line. */

import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { environment, ROOT } from "../test_env.ts";
import { blocks } from "./markdown.ts";

const END = "--end--";

/** A shell with this working folder, in which `deno` is the Deno that runs the tests. */
export class Shell implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";

  /** @param folder Must hold `bin/deno`, as {@linkcode makeClone} leaves it. */
  constructor(folder: string, env: Record<string, string> = {}) {
    this.#process = new Deno.Command("sh", {
      cwd: folder,
      clearEnv: true,
      env: {
        ...environment({ HOME: join(folder, "home"), ...env }),
        PATH: `${join(folder, "bin")}:${Deno.env.get("PATH")}`,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts a command without waiting for it. */
  async start(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`exec 2>&1\n${command}\necho ${END}$?\n`));
  }

  /** Waits until the output matches, consumes it up to the match, and returns the match. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match.index + match[0].length);
        return match;
      }
      const { done, value } = await this.#output.read();
      if (done) throw new Error(`the shell ended before ${pattern}: ${this.#text}`);
      this.#text += value;
    }
  }

  /** Waits until the command ends. */
  async end(): Promise<{ code: number; output: string }> {
    const [, output, code] = await this.waitFor(new RegExp(`^([^]*?)${END}(\\d+)\n`));
    return { code: Number(code), output: output! };
  }

  /** Runs a command and waits for it. */
  async run(command: string): Promise<{ code: number; output: string }> {
    await this.start(command);
    return await this.end();
  }

  /** Sends the signal of Ctrl-C to a command started with `exec`. */
  async interrupt(): Promise<void> {
    this.#process.kill("SIGINT");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill(); // else the sandbox of a failed test keeps running
    } catch {
      // the process has already ended
    }
    await this.#input.close().catch(() => {});
    await this.#output.cancel();
    await this.#process.status;
  }
}

/**
 * A folder like a clone of the repository, and a home folder in it.
 *
 * @param hosts The sandbox's hosts of sign-in, Graph and storage, which take the place of its default ports in the permissions
 *   of the scripts.
 */
export async function makeClone(...hosts: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  for (const name of ["lib", "scripts", "tests"]) await Deno.symlink(join(ROOT, name), join(folder, name));
  await Deno.copyFile(join(ROOT, "deno.lock"), join(folder, "deno.lock"));
  const config = await Deno.readTextFile(join(ROOT, "deno.json"));
  await Deno.writeTextFile(
    join(folder, "deno.json"),
    config.replaceAll(/127\.0\.0\.1:840([0-2])/g, (host, index) => hosts[index] ?? host),
  );
  await Deno.mkdir(join(folder, "home"));
  await Deno.mkdir(join(folder, "bin"));
  await Deno.symlink(Deno.execPath(), join(folder, "bin", "deno"));
  return folder;
}

/** A command of a console block, with its shown output. */
export interface Step {
  command: string;
  shown: string[];
}

/** The commands of all console blocks; a block without a command continues the previous output. */
export function steps(text: string): Step[] {
  const consoles = blocks(text).filter(({ language }) => language === "console");
  return consoles.map(({ text }) => text).join("").split(/^\$ /m).slice(1).map((entry) => {
    const [command, ...shown] = entry.trimEnd().split("\n");
    return { command: command!, shown };
  });
}

/** Replaces what differs between runs, and sorts lines, since parallel files finish in any order. */
function comparable(lines: readonly string[]): string[] {
  return lines.filter(Boolean).map((line) =>
    line.replace(/request-id \S+ \S+\)$/, "request-id …)")
      .replace(/, in \d:\d\d$/, ", in …")
      .replace(/until \d\d:\d\d:/, "until …:")
      .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1")
      .replaceAll(/\b[A-Z0-9]{9}\b/g, "CODE")
      .replaceAll(/ {2,}/g, "  ") // a terminal aligns columns by their contents
  ).toSorted();
}

/** Compares printed and shown output; a last line `…` matches any further lines. */
export function assertShown({ command, shown }: Step, output: string): void {
  const printed = output.split("\n");
  const isPart = shown.at(-1) === "…";
  const expected = isPart ? shown.slice(0, -1) : shown;
  assertEquals(
    comparable(isPart ? printed.slice(0, expected.length) : printed),
    comparable(expected),
    command,
  );
}
