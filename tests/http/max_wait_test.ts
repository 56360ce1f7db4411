/** Every command ends within `--max-wait` and five seconds, whatever the service fails to send. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, type ScriptName, startTestEnv, type TestEnv } from "../test_env.ts";

const MAX_WAIT_SECONDS = 4;
/** How much faster than real time the commands run. */
const SPEED = 4;
/** Real time for computing, which does not get faster. */
const COMPUTING_SECONDS = 1.5;

/** Runs work while clock and timers of this thread are {@linkcode SPEED} times as fast. */
async function withFastTime<T>(work: () => Promise<T>): Promise<T> {
  const real = { setTimeout, now: Date.now, performanceNow: performance.now.bind(performance) };
  const started = Date.now();
  Date.now = () => started + (real.now() - started) * SPEED;
  performance.now = () => real.performanceNow() * SPEED;
  const fastTimeout = (callback: () => void, ms = 0) => real.setTimeout(callback, ms / SPEED);
  Object.assign(globalThis, { setTimeout: fastTimeout });
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout: real.setTimeout });
    Date.now = real.now;
    performance.now = real.performanceNow;
  }
}

/** A host that accepts connections and does not respond properly. */
interface DeadHost extends AsyncDisposable {
  host: string;
}

/** Behavior of a dead host until its connection is closed. */
const BEHAVIORS: Record<string, (connection: Deno.Conn) => Promise<void>> = {
  "says nothing": async (connection) => {
    while (await connection.read(new Uint8Array(65_536)) !== null);
  },
  "sends a header and no body": async (connection) => {
    await sendHeaders(connection, "Content-Type: application/json\r\nContent-Length: 1000");
    while (await connection.read(new Uint8Array(65_536)) !== null);
  },
  "sends a byte a second": async (connection) => {
    await sendHeaders(connection, "Content-Type: application/json\r\nContent-Length: 100000");
    for (;;) {
      await connection.write(new TextEncoder().encode(" "));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  },
};

async function sendHeaders(connection: Deno.Conn, headers: string): Promise<void> {
  await connection.read(new Uint8Array(65_536));
  await connection.write(new TextEncoder().encode(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`));
}

function deadHost(behave: (connection: Deno.Conn) => Promise<void>): DeadHost {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const working: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      working.push(behave(connection).catch(() => {})); // the client has closed it
    }
  })();
  return {
    host: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await Promise.all([accepting, ...working]);
    },
  };
}

type CommandLine = [ScriptName, ...string[]];

/** Runs commands concurrently; each must fail with exit code 8 in time. Returns their error output. */
async function failInTime(
  env: TestEnv,
  variables: Record<string, string>,
  commands: CommandLine[],
): Promise<string[]> {
  const started = performance.now();
  const results = await withFastTime(() =>
    Promise.all(
      commands.map(([script, ...args]) =>
        env.runWith({ env: variables }, script, "--max-wait", `${MAX_WAIT_SECONDS}s`, ...args)
      ),
    )
  );
  const seconds = (performance.now() - started) / 1000;
  const texts = results.map(({ stderr }) => stderr);
  assertEquals(results.map(({ code }) => code), commands.map(() => 8), texts.join(""));
  assert(seconds < (MAX_WAIT_SECONDS + 5) / SPEED + COMPUTING_SECONDS, `${seconds} s; ${texts.join("")}`);
  return texts;
}

/** Points upload and download URLs of the sandbox to another storage host. */
function redirectTransfers({ sandbox }: TestEnv, host: string): void {
  const { host: storage } = new URL(sandbox.storageOrigin);
  const redirected = (text: string) => text.replaceAll(storage, host);
  sandbox.addFault({
    service: "graph",
    times: "always",
    rewrite: ({ body, headers: { location, ...headers }, ...rest }) => ({
      ...rest,
      headers: location === undefined ? headers : { ...headers, location: redirected(location) },
      body: typeof body === "string" ? redirected(body) : body,
    }),
  });
}

for (const [name, behave] of Object.entries(BEHAVIORS)) {
  Deno.test(`commands end within --max-wait against a Graph that ${name}`, async () => {
    await using env = await startTestEnv();
    await using dead = deadHost(behave);
    await env.file("small.txt", "small");
    await env.file("large.bin", pseudoRandomBytes(5_000_000));
    await Deno.mkdir(join(env.folder, "many"));
    for (let i = 0; i < 20; i++) await env.file(`many/${i}.txt`, String(i));

    const [whoami, , ls] = await failInTime(env, { GRAPH_API_ORIGIN: `http://${dead.host}` }, [
      ["whoami"],
      ["whoami", "--check"],
      ["ls", "General"],
      ["get", "General/Agenda.md"],
      ["get", "-r", "General"],
      ["put", "small.txt", "General/"],
      ["put", "-r", "many", "General/"],
      ["put-large", "large.bin", "General/"],
    ]);

    for (const text of [whoami!, ls!]) assertMatch(text, /no progress within 4 s|silent for/);
  });

  Deno.test(`transfers end within --max-wait against a storage that ${name}`, async () => {
    await using env = await startTestEnv();
    await using dead = deadHost(behave);
    await env.file("large.bin", pseudoRandomBytes(5_000_000));
    env.sandbox.tenant.addFile("Documents", "General/big.bin", pseudoRandomBytes(1_000_000));
    redirectTransfers(env, dead.host);

    await failInTime(env, { GRAPH_STORAGE_HOSTS: dead.host }, [
      ["get", "General/big.bin", "one.bin"],
      ["get", "--connections", "4", "General/big.bin", "four.bin"],
      ["put-large", "large.bin", "General/"],
    ]);
  });
}

Deno.test("commands end within --max-wait against a silent sign-in service", async () => {
  await using env = await startTestEnv();
  await using dead = deadHost(BEHAVIORS["says nothing"]!);
  // Tokens are kept by sign-in origin, so the cache of the sandbox is named.
  const { cache } = JSON.parse((await env.run("whoami", "--json")).stdout);
  env.sandbox.expireAccessTokens();
  const variables = { GRAPH_LOGIN_ORIGIN: `http://${dead.host}`, GRAPH_TOKEN_CACHE: cache };

  await failInTime(env, variables, [["ls", "General"]]);
});

Deno.test("processes end within --max-wait in real time", async () => {
  await using env = await startTestEnv();
  await using dead = deadHost(BEHAVIORS["sends a byte a second"]!);
  env.sandbox.tenant.addFile("Documents", "General/big.bin", pseudoRandomBytes(1_000_000));
  redirectTransfers(env, dead.host);
  const storage = { env: { GRAPH_STORAGE_HOSTS: dead.host } };
  const graph = { env: { GRAPH_API_ORIGIN: `http://${dead.host}` } };
  const started = performance.now();

  const results = await Promise.all([
    env.runProcessWith(graph, "ls", "--max-wait", "1s", "General"),
    env.runProcessWith(storage, "get", "--max-wait", "1s", "General/big.bin", "-"),
  ]);

  assertEquals(results.map(({ code }) => code), [8, 8], results.map(({ stderr }) => stderr).join(""));
  const seconds = (performance.now() - started) / 1000;
  assert(seconds < 4 + 5 + 5, `${seconds} s, with up to 5 to start a process`); // 4 is the minimum limit
});
