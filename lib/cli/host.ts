/**
 * What a run uses of its process, besides arguments; tests provide their own.
 *
 * @module
 */
import type { HttpOptions } from "../http/client.ts";

/** A standard stream to print to. */
export interface OutputStream {
  /**
   * Writes some of the bytes and returns how many.
   *
   * @throws {Deno.errors.BrokenPipe} when the reader has closed its end.
   */
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Environment, streams and signals of a run. */
export interface Host {
  env(name: string): string | undefined;
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  columns(): number;
  /** Calls `handler` at each Ctrl+C or other request to end, until the result is called. */
  onInterrupt(handler: () => void): () => void;
  exit(code: number): never;
  /** Clock, waiting and tracing of the transport. */
  readonly http: Omit<HttpOptions, "signal">;
}

/** The process itself. */
export const denoHost: Host = {
  env: (name) => Deno.env.get(name),
  get stdin() {
    return Deno.stdin.readable;
  },
  stdout: Deno.stdout,
  stderr: Deno.stderr,
  columns() {
    try {
      return Deno.consoleSize().columns || 80; // 0 where the terminal does not know its size
    } catch {
      return 80; // standard error is a terminal, but not this process's console
    }
  },
  onInterrupt(handler) {
    const signals: Deno.Signal[] = Deno.build.os === "windows"
      ? ["SIGINT", "SIGBREAK"]
      : ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const name of signals) Deno.addSignalListener(name, handler);
    return () => {
      for (const name of signals) Deno.removeSignalListener(name, handler);
    };
  },
  exit: (code) => Deno.exit(code),
  http: {},
};

export function writeBytes(stream: OutputStream, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

export function writeText(stream: OutputStream, text: string): void {
  writeBytes(stream, new TextEncoder().encode(text));
}
