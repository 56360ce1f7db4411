/**
 * Shared by the tests of known faults: an environment with one active fault, which summarizes its requests as short
 * phrases, such as `send 1 503`.
 *
 * @module
 */
import { assert } from "../assert.ts";
import {
  type ProcessResult,
  pseudoRandomBytes,
  type ScriptName,
  startTestEnv,
  type TestEnv,
  type TestEnvOptions,
} from "../test_env.ts";
import { type FaultName, knownFault, type RequestRecord } from "../sandbox/mod.ts";

/** The smallest fragment: 320 KiB. */
export const UNIT = 327_680;
/** How much later than requested a retry may come on a busy machine. */
const SLACK_MS = 1_000;

/** A test environment with one active fault. */
export interface FaultEnv extends TestEnv {
  /** Runs a script in-process; if the environment is not signed in, with GRAPH_ACCESS_TOKEN. */
  run(script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  /** Uploads with fragments of 320 KiB. */
  upload(bytes: Uint8Array, ...args: string[]): Promise<ProcessResult>;
  /** The requests from the first that changes or transfers something, such as `send 1 503`. */
  story(): string[];
  /** Requests of the script so far. */
  requests(): RequestRecord[];
  /** Milliseconds from each faulty request to the next request to the same service. */
  gapsMs(): number[];
}

/** Registers a test of one known fault; it fails if the fault never took effect. */
export function faultTest(
  name: FaultName,
  title: string,
  test: (env: FaultEnv) => Promise<void>,
  options: TestEnvOptions & { token?: boolean; ignore?: boolean } = {},
): void {
  const { signIn = false, token = !signIn, ignore = false, ...sandboxOptions } = options;
  Deno.test({
    name: `${title} [${name}]`,
    ignore,
    async fn() {
      await using plain = await startTestEnv({ ...sandboxOptions, signIn, fault: [name] });
      const env = faultEnv(plain, name, token);
      await test(env);
      if (knownFault(name).rules) {
        assert(plain.sandbox.requests.some(({ fault }) => fault === name), "the fault never took effect");
      }
    },
  });
}

function faultEnv(env: TestEnv, name: FaultName, token: boolean): FaultEnv {
  const before = env.sandbox.requests.length;
  const variables: Record<string, string> = token ? { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken() } : {};
  const requests = () =>
    env.sandbox.requests.slice(before).filter(({ fault }) => !fault?.startsWith("silent repetition"));
  return {
    ...env,
    requests,
    run: (script, ...args) => env.runWith({ env: variables }, script, ...args),
    upload: async (bytes, ...args) => {
      const file = await env.file("big.bin", bytes);
      return await env.runWith(
        { env: variables },
        "put-large",
        "--json",
        "--fragment-size",
        "320KiB",
        ...args,
        file,
        "General/",
      );
    },
    story: () => storyOf(requests()),
    gapsMs: () => gapsOf(requests(), name),
  };
}

function storyOf(requests: readonly RequestRecord[]): string[] {
  const words = requests.map((request) => `${wordOf(request)} ${request.status || "cut"}`);
  const start = words.findIndex((word) => !word.startsWith("look up"));
  return start < 0 ? [] : words.slice(start);
}

/** `send 3` is the fragment that starts at 3 × 320 KiB; other positions are in bytes. */
function wordOf({ service, method, path, headers }: RequestRecord): string {
  if (service === "login") return path.includes("/devicecode") ? "ask for a code" : "ask for tokens";
  if (service === "storage" && method === "PUT") {
    const start = Number(/\d+/.exec(headers["content-range"] ?? "")?.[0]);
    return `send ${start % UNIT === 0 ? start / UNIT : `from ${start}`}`;
  }
  if (service === "storage") {
    if (path.includes("download.aspx")) return headers["range"] ? `download ${headers["range"]}` : "download";
    return method === "DELETE" ? "cancel" : "ask";
  }
  if (path.includes("createUploadSession")) return "create";
  if (path.includes("/children")) return "list";
  return method === "PUT" ? "put" : "look up";
}

function gapsOf(requests: readonly RequestRecord[], name: FaultName): number[] {
  return requests.flatMap((request, index) => {
    const next = requests.slice(index + 1).find(({ service }) => service === request.service);
    return request.fault === name && next ? [Date.parse(next.at) - Date.parse(request.at)] : [];
  });
}

/** Asserts that a wait lasted at least `minMs` and not much more than `maxMs`. */
export function assertWaited(ms: number | undefined, minMs: number, maxMs = minMs): void {
  assert(ms !== undefined, "there was no retry");
  // Both times are truncated to milliseconds.
  assert(
    ms >= minMs - 1 && ms <= maxMs + SLACK_MS,
    `waited ${ms} ms instead of ${minMs} to ${maxMs} ms`,
  );
}

/** Pseudo-random content of four fragments. */
export const FOUR_FRAGMENTS: Uint8Array<ArrayBuffer> = pseudoRandomBytes(4 * UNIT);
