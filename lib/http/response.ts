/**
 * Responses, whose bodies are read within the deadline and never past a sensible size, and the errors of missing ones.
 *
 * @module
 */
import { interruptedError } from "../abort.ts";
import type { Deadline } from "./deadline.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { explainFailure } from "./failure.ts";
import { redact, safeIdentifier } from "./redact.ts";

/** A listing of 1,000 items has about 2 MB. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
/** Bytes of a body that count as progress. */
const PROGRESS_BYTES = 64 * 1024;
/** Bytes that one read of a body takes at most: a small buffer for each read would take twice the time. */
const READ_BYTES = 1024 * 1024;

/** A response of any status; its body must be read or discarded. */
export interface HttpResponse {
  status: number;
  headers: Headers;
  /**
   * Reads the whole body as text.
   *
   * @throws {GraphError} `unavailable`, code `network`, if it breaks off; `failed`, code `tooLarge`, above 32 MiB.
   */
  text(): Promise<string>;
  /**
   * The body as it arrives; throws like {@linkcode HttpResponse.text}. A chunk is valid until the next but one is
   * requested, so that it can be written while the next arrives.
   */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  discard(): Promise<void>;
}

type BodyReader = Pick<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, "read" | "cancel">;

interface ReadOptions {
  url: string;
  deadline: Deadline;
  /** Whether the end of the body counts as progress. */
  isProgress: boolean;
  /** Distinguishes an interruption from a failure. */
  signal: AbortSignal | undefined;
  /** Stops listening to the signal. */
  release: () => void;
  /** Closes the HTTP connection if the body has not ended. */
  abort: () => void;
}

export function toHttpResponse(response: Response, options: ReadOptions): HttpResponse {
  const { url, deadline, isProgress, signal, release, abort } = options;

  async function* read(reader: BodyReader | undefined) {
    let sinceProgress = 0;
    try {
      while (reader) {
        const { done, value } = await deadline.wait(() => reader.read(), deadline.maxSilenceMs);
        if (done) break;
        sinceProgress += value.length;
        if (sinceProgress >= PROGRESS_BYTES) {
          sinceProgress = 0;
          deadline.progress();
        }
        yield value;
      }
      if (isProgress) deadline.progress();
    } catch (error) {
      throw signal?.aborted ? interruptedError(signal) : networkError(url, error);
    } finally {
      release();
      abort();
      await reader?.cancel().catch(() => {}); // the body is not wanted any more
    }
  }

  return {
    status: response.status,
    headers: response.headers,
    chunks: () => read(response.body ? openReader(response.body, response.headers) : undefined),
    async text() {
      const decoder = new TextDecoder();
      let text = "";
      let bytes = 0;
      for await (const chunk of read(response.body?.getReader())) {
        if ((bytes += chunk.length) > MAX_TEXT_BYTES) {
          throw new GraphError("failed", `${new URL(url).host} sent more than 32 MiB of text`, {
            code: "tooLarge",
            hint: "Microsoft Graph sends no such responses; check GRAPH_API_ORIGIN and proxies",
          });
        }
        text += decoder.decode(chunk, { stream: true });
      }
      return text + decoder.decode();
    },
    async discard() {
      release();
      if (isProgress) deadline.progress();
      await response.body?.cancel().catch(() => {}); // the body is not wanted any more
    },
  };
}

/** Reads a body into two buffers by turns. */
function openReader(body: ReadableStream<Uint8Array<ArrayBuffer>>, headers: Headers): BodyReader {
  const reader = body.getReader({ mode: "byob" });
  const length = Number(headers.get("content-length")) || READ_BYTES;
  let [next, other] = [0, 1].map(() => new ArrayBuffer(Math.min(length, READ_BYTES))) as [
    ArrayBuffer,
    ArrayBuffer,
  ];
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(next));
      if (done) return { done };
      [next, other] = [other, value.buffer];
      return { done, value };
    },
    cancel: () => reader.cancel(),
  };
}

/** The id that Microsoft's support asks for, as Graph and as storage hosts name it (PROTOCOL 8e). */
export function requestIdOf(headers: Headers): string | undefined {
  const names = ["request-id", "sprequestguid", "x-ms-request-id"];
  return names.map((name) => safeIdentifier(headers.get(name), 64)).find((id) => id !== undefined);
}

/** The error of a request that failed without a complete response; `unavailable`, code `network`, in most cases. */
export function networkError(url: string, cause: unknown): GraphError {
  const { host } = new URL(url);
  if (cause instanceof Deno.errors.NotCapable) {
    return new GraphError("refused", `this program may not connect to ${host}`, {
      code: "notCapable",
      subject: host,
    });
  }
  if (isGraphError(cause)) return cause.withMessage(`${host}: ${cause.message}`);
  const { reason, ...details } = explainFailure(describeFailure(cause));
  // Always `unavailable`, so that unfinished transfers are kept for a later run.
  return new GraphError("unavailable", `cannot reach ${host}: ${reason}`, { ...details, cause });
}

/** Deno keeps the reason of `fetch failed` in the cause; the texts of both may hold the URL, which may be a secret. */
export function describeFailure(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error && texts.length < 4; at = at.cause) {
    texts.push(at.message);
  }
  const text = texts.join(": ").replace(/\s*\(?https?:\/\/[^\s)]*\)?/g, "")
    .replace(/error sending request( for url)?:?\s*/g, "").replace(
      /^(fetch failed: )?client error \(\w+\): /,
      "",
    );
  return redact(text) || "connection failed";
}
