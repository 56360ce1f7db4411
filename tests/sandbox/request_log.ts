/** The requests of a sandbox: in memory for tests, and as JSON lines in a log file. */

import type { Outcome, RequestRecord } from "./request_handler.ts";
import type { ServiceRequest } from "./messages.ts";

export class RequestLog {
  readonly requests: RequestRecord[] = [];
  readonly #open = new Set<RequestRecord>();
  readonly #file: Deno.FsFile | undefined;

  constructor(file: string | undefined) {
    this.#file = file === undefined
      ? undefined
      : Deno.openSync(file, { create: true, append: true, mode: 0o600 });
  }

  /** Records a request on arrival, and again when its response is known. */
  async record(
    request: ServiceRequest,
    respond: (record: RequestRecord) => Promise<Outcome>,
  ): Promise<Outcome> {
    const started = performance.now();
    const record: RequestRecord = {
      n: this.requests.length + 1,
      at: new Date().toISOString(),
      service: request.service,
      connection: request.connection,
      method: request.method,
      path: request.target,
      headers: request.headers,
      status: 0,
      requestBytes: 0,
      ms: 0,
    };
    this.requests.push(record);
    this.#open.add(record);
    try {
      return await respond(record);
    } finally {
      this.#open.delete(record);
      record.ms = Math.round((performance.now() - started) * 10) / 10;
      this.#write(record);
    }
  }

  /** Whether a request has no response yet. */
  isOpen(record: RequestRecord): boolean {
    return this.#open.has(record);
  }

  close(): void {
    this.#file?.close();
  }

  #write(record: RequestRecord): void {
    if (!this.#file) return;
    const line = new TextEncoder().encode(`${JSON.stringify(masked(record))}\n`);
    for (let written = 0; written < line.length;) written += this.#file.writeSync(line.subarray(written));
  }
}

/** Removes secrets from the query of a pre-authenticated URL or of a sign-in. */
export function maskedTarget(target: string): string {
  return target.replace(/([?&](?:tempauth|guid|code|state|client_info)=)[^&]*/g, "$1…");
}

/** Removes secrets: tokens in headers, and in the queries of pre-authenticated URLs. */
function masked(record: RequestRecord): RequestRecord {
  const { authorization, ...headers } = record.headers;
  return {
    ...record,
    path: maskedTarget(record.path),
    headers: authorization === undefined
      ? headers
      : { ...headers, authorization: authorization.replace(/^(\S+) .*$/, "$1 …") },
  };
}
