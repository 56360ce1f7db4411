import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals } from "./assert.ts";
import { join } from "../lib/std.ts";
import {
  connect,
  type Connection,
  downloadFile,
  isGraphError,
  type TransferResult,
  uploadLargeFile,
} from "../lib/mod.ts";
import { noise } from "./harness.ts";
import type { FaultRule } from "./sandbox/faults.ts";
import { type Sandbox, startSandbox } from "./sandbox/mod.ts";

/** `GRAPH_SCRIPTS_SCHEDULES=1000` runs the campaign in full, `GRAPH_SCRIPTS_SEED` repeats one. */
const SCHEDULES = Number(Deno.env.get("GRAPH_SCRIPTS_SCHEDULES") ?? 40);
const SEED = Number(Deno.env.get("GRAPH_SCRIPTS_SEED") ?? Math.floor(Math.random() * 2 ** 31));

const UNIT = 327_680;
const SIZES = [0, 1, UNIT - 1, UNIT, UNIT + 1, 2 * UNIT - 1, 2 * UNIT, 2 * UNIT + 1, 3 * UNIT + 1];
const STATUSES = [400, 401, 403, 404, 408, 409, 412, 416, 423, 429, 500, 502, 503, 504, 507, 509];
const HTML = "<html><body>The proxy is tired.</body></html>";

/** What can go wrong with one request. */
const damage: fc.Arbitrary<FaultRule> = fc.oneof(
  fc.record({ status: fc.constantFrom(...STATUSES), when: fc.constantFrom("before", "after") }),
  fc.record({
    status: fc.constantFrom(429, 503),
    headers: fc.constantFrom({ "retry-after": "0" }, { "retry-after": "2" }),
  }),
  fc.record({
    status: fc.constantFrom(200, 202, 500, 503),
    body: fc.constantFrom("", HTML, "{}", '{"error":{"code":"x"}}'),
  }),
  fc.record({ drop: fc.constant(true as const), when: fc.constantFrom("before", "after") }),
  fc.record({ dropAfterBytes: fc.nat(400_000) }),
  fc.record({ truncateBodyTo: fc.nat(400) }),
  fc.record({ truncateBodyTo: fc.nat(2 * UNIT) }),
  fc.constant<FaultRule>({ hideHeaders: ["range"] }),
);
const fault = (
  services: readonly ("graph" | "storage")[],
  methods: readonly string[],
): fc.Arbitrary<FaultRule> =>
  fc.tuple(
    damage,
    fc.record({
      service: fc.constantFrom(...services),
      method: fc.constantFrom(...methods),
      nth: fc.integer({ min: 1, max: 4 }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  ).map(([damage, where]) => ({ ...damage, ...where }));
const schedule = fc.record({
  size: fc.constantFrom(...SIZES),
  there: fc.boolean(),
  faults: fc.array(fault(["graph", "storage"], ["GET", "PUT", "POST"]), { minLength: 1, maxLength: 4 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

/** A connection whose waits pass on its own clock alone. */
function connection(sandbox: Sandbox, home: string): Promise<Connection> {
  const {
    GRAPH_CLIENT_ID,
    GRAPH_TENANT_ID,
    GRAPH_LOGIN_ORIGIN,
    GRAPH_API_ORIGIN,
    GRAPH_STORAGE_HOSTS,
    GRAPH_SITE,
  } = sandbox.env as Record<string, string>;
  let waitedMs = 0;
  return connect({
    access: "write",
    settings: {
      home,
      clientId: GRAPH_CLIENT_ID!,
      tenantId: GRAPH_TENANT_ID!,
      loginOrigin: GRAPH_LOGIN_ORIGIN!,
      apiOrigin: GRAPH_API_ORIGIN!,
      storageHosts: GRAPH_STORAGE_HOSTS!,
      site: GRAPH_SITE!,
      accessToken: sandbox.issueToken(),
    },
    showDeviceCode: null,
    notice: () => {},
    http: {
      now: () => Date.now() + waitedMs,
      sleep: (ms) => {
        waitedMs += ms;
        return Promise.resolve();
      },
    },
  });
}

/** The outcome of a transfer: its result, or an error that is one of ours and no defect. */
async function outcome(work: () => Promise<TransferResult>): Promise<TransferResult | undefined> {
  try {
    return await work();
  } catch (error) {
    assert(isGraphError(error), `not an error of ours: ${(error as Error).stack}`);
    assert(error.code !== "internal" && error.message.length > 0, `a defect: ${error.stack}`);
    return undefined;
  }
}

async function campaign(
  run: (sandbox: Sandbox, folder: string, schedule: Schedule, n: number) => Promise<void>,
) {
  await using sandbox = await startSandbox({ approve: true });
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  let n = 0;
  try {
    await fc.assert(
      fc.asyncProperty(schedule, async (schedule) => {
        n++;
        try {
          await run(sandbox, folder, schedule, n);
        } finally {
          sandbox.clearFaults();
        }
      }),
      { numRuns: SCHEDULES, seed: SEED, endOnFailure: true },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(`uploads under ${SCHEDULES} random fault schedules (seed ${SEED}) are right, or end in a correct error and are mended by the next run`, async () => {
  await campaign(async (sandbox, folder, { size, there, faults }, n) => {
    const path = join(folder, `${n}.bin`);
    const content = noise(size, n);
    const old = new TextEncoder().encode("old");
    await Deno.writeFile(path, content);
    const target = `General/${n}.bin`;
    if (there) sandbox.tenant.addFile("Documents", target, old);
    const upload = async () =>
      await uploadLargeFile(await connection(sandbox, join(folder, "home")), path, target, {
        fragmentBytes: UNIT,
      });
    for (const rule of faults) sandbox.addFault(rule);
    const result = await outcome(upload);
    sandbox.clearFaults();
    const item = sandbox.tenant.find("Documents", target);
    const stored = item && await sandbox.tenant.bytes("Documents", target);
    if (result) {
      assertEquals(stored, content, "called right, and is not");
      assertEquals(result.bytes, size);
    } else if (stored) assert(same(stored, content) || (there && same(stored, old)), "half a file");
    else assert(!there, "the old file is gone");
    if (sandbox.tenant.openSessions().length > 0 && !await hasRecord(join(folder, "home"))) {
      // The answer that held its URL was lost: nobody can end it, and its name is free when its time has passed.
      assert(faults.some(({ method }) => method === "POST"), "a session was forgotten");
      sandbox.tenant.expireUploadSessions();
    }
    const again = await upload();
    assertEquals(await sandbox.tenant.bytes("Documents", target), content);
    assertEquals(again.verdict, "same");
    assertEquals(sandbox.tenant.openSessions(), [], "a session is left");
    await Deno.remove(path);
  });
});

Deno.test(`downloads under ${SCHEDULES} random fault schedules (seed ${SEED}) are right, or end in a correct error and are mended by the next run`, async () => {
  await campaign(async (sandbox, folder, { size, there, faults }, n) => {
    const content = noise(size, n);
    sandbox.tenant.addFile("Documents", `General/${n}.bin`, content);
    const path = join(folder, `${n}.bin`);
    if (there) await Deno.writeTextFile(path, "old");
    const download = async () =>
      await downloadFile(await connection(sandbox, join(folder, "home")), `General/${n}.bin`, path, {
        conflict: "replace",
      });
    for (const rule of faults) sandbox.addFault(rule);
    const result = await outcome(download);
    sandbox.clearFaults();
    const stored = await Deno.readFile(path).catch(() => undefined); // it need not be there
    if (result) assertEquals(stored, content, "called right, and is not");
    else if (stored) assert(there && new TextDecoder().decode(stored) === "old", "half a file");
    else assert(!there, "the old file is gone");
    const again = await download();
    assertEquals(await Deno.readFile(path), content);
    assertEquals(again.verdict, "same");
    await Deno.remove(path);
    const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((name) =>
      name !== "home"
    );
    assertEquals(left.filter((name) => !name.endsWith(".damaged")), []);
  });
});

async function hasRecord(home: string): Promise<boolean> {
  const names = await Array.fromAsync(Deno.readDir(join(home, "uploads"))).catch(() => []); // there may be none
  return names.some(({ name }) => name.endsWith(".json"));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
