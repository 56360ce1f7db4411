/**
 * What a run prints: results on standard output; everything else, from instructions to errors, on standard error.
 *
 * @module
 */
import { deviceCodeText } from "../auth/interaction.ts";
import type { ConnectOptions } from "../connect.ts";
import type { GraphError } from "../errors.ts";
import { formatDuration } from "../format.ts";
import type { TraceEvent } from "../http/client.ts";
import { redact } from "../http/redact.ts";
import { withHint } from "./hints.ts";
import { programName } from "./program.ts";
import { type Host, writeText } from "./host.ts";
import { ProgressLine, type Summary, summaryText } from "./progress.ts";

interface OutputOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Fail when standard output is closed, as a listing may. Otherwise work continues without printing results. */
  failWhenClosed: boolean;
}

export class Output {
  readonly options: OutputOptions;
  /** What to type where a permission of Deno is missing. */
  grantHint: ((error: GraphError) => string | undefined) | undefined;
  readonly #script: string;
  readonly #program: string;
  readonly #host: Host;
  #progress: ProgressLine | undefined;
  #closed = false;

  constructor(script: string, options: OutputOptions, host: Host) {
    this.#script = script;
    this.#program = programName(script);
    this.#host = host;
    this.options = options;
  }

  /** One result: a JSON object on a line, or a line of text, or several. */
  result(value: object, text: string | readonly string[]): void {
    this.#toOutput(this.options.json ? JSON.stringify(value) : text);
  }

  /** As {@linkcode Output.result}, where standard output carries the content itself. */
  resultToStderr(value: object): void {
    if (this.options.json) this.#toError(JSON.stringify(value));
  }

  summary(summary: Summary): void {
    if (this.options.quiet) return;
    this.#toError(
      this.options.json ? JSON.stringify({ summary }) : `${this.#program}: ${summaryText(summary)}`,
    );
  }

  /** Something the user should know. */
  readonly notice = (text: string): void => {
    if (!this.options.quiet) this.#toError(`${this.#program}: ${text}`);
  };

  /** A step of finding a location, for `--explain`. */
  readonly explain = (text: string): void => this.#toError(text);

  /** A wait, if it takes a second or more. */
  readonly wait = ({ ms, reason }: { ms: number; reason: string }): void => {
    if (ms >= 1000 && reason !== "sign-in") this.notice(`waiting ${formatDuration(ms / 1000)}: ${reason}`);
  };

  /** Sign-in instructions, also with `--quiet`. */
  readonly signInPrompts: SignInPrompts = signInPrompts((lines) => this.#toError(lines));

  readonly trace = ({ method, target, status, failure, ms, requestId }: TraceEvent): void => {
    this.#toError(
      `${method} ${target} ${status ?? failure} ${Math.round(ms)} ms${requestId ? ` ${requestId}` : ""}`,
    );
  };

  /** Progress of the transfers; `undefined` where it is not drawn. */
  progress(): ProgressLine | undefined {
    const { stderr, columns } = this.#host;
    if (this.options.quiet || !stderr.isTerminal()) return undefined;
    return this.#progress = new ProgressLine((text) => writeText(stderr, text), columns);
  }

  /** An error with what to do next. */
  readonly explained = (failure: GraphError): GraphError => {
    const hint = this.grantHint?.(failure);
    return withHint(
      hint === undefined ? failure : failure.withMessage(failure.message, { hint }),
      this.#script,
    );
  };

  /** One line: what failed, why, what to do next, and what Microsoft's support asks for. */
  error(failure: GraphError): void {
    const error = this.explained(failure);
    const { code, hint, status, requestId, date } = error;
    if (this.options.json) {
      const { message } = error;
      return this.#toError(JSON.stringify({ error: { code, message, hint, status, requestId, date } }));
    }
    const details = [
      status === undefined ? code : `HTTP ${status} ${code}`,
      requestId && `request-id ${requestId}`,
      date,
    ].filter(Boolean);
    const line = `${this.#program}: ${error.message}${hint ? `; ${hint}` : ""} (${details.join(", ")})`;
    // The only hint of several lines is our own text, without names from elsewhere.
    this.#toError(code === "noRegistration" ? line.split("\n") : line);
    if (this.options.verbose && code === "internal" && failure.cause instanceof Error) {
      this.#toError((failure.cause.stack ?? "").split("\n").map(redact));
    }
  }

  #toOutput(text: string | readonly string[]): void {
    this.#progress?.clear();
    if (this.#closed) return;
    try {
      writeText(this.#host.stdout, printableLines(text));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe) || this.options.failWhenClosed) throw error;
      this.#closed = true;
    }
  }

  #toError(text: string | readonly string[]): void {
    this.#progress?.clear();
    try {
      writeText(this.#host.stderr, printableLines(text));
    } catch (error) { // stderr may be closed; work continues
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }
}

/** Callbacks of a connection that ask the user to sign in. */
type SignInPrompts = Required<Pick<ConnectOptions, "showAddress" | "showDeviceCode">>;

function signInPrompts(print: (lines: string[]) => void): SignInPrompts {
  return {
    showDeviceCode: (code) => print(deviceCodeText(code, Date.now()).split("\n")),
    showAddress: (url) => print(["To sign in, open this address in a browser of this machine:", url]),
  };
}

/**
 * Callbacks for `connect()`: notices go to standard error, and so does the instruction to sign in where standard error is a
 * terminal. Without a terminal a missing sign-in stays an error.
 */
export function onTerminal(): Pick<ConnectOptions, "notice" | "showAddress" | "showDeviceCode"> {
  const print = (text: string | string[]) => writeText(Deno.stderr, printableLines(text));
  return { notice: print, ...(Deno.stderr.isTerminal() ? signInPrompts(print) : {}) };
}

/** Lines as text. A line break within a line comes from a name, and is escaped. */
function printableLines(text: string | readonly string[]): string {
  return [text].flat().map((line) => `${replaceControlCharacters(line)}\n`).join("");
}

/**
 * Characters that print nothing or change how others are shown: controls, line breaks, bidirectional and other format
 * characters, fillers, lone surrogates. Joiners are kept, which words and emoji need.
 */
const NON_PRINTING = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu;

/** Escapes what could control a terminal or disguise a name: names come from other people. */
export function replaceControlCharacters(text: string): string {
  return text.replace(NON_PRINTING, (character) => {
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    const hex = character.codePointAt(0)!.toString(16);
    return short ?? (hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`);
  });
}
