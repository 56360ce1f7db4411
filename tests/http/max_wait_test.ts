/** Every command ends within `--max-wait` and five seconds, whatever the service does not do. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  commandLine,
  pseudoRandomBytes,
  runProcess,
  type ScriptName,
  startTestEnv,
  type TestEnv,
} from "../test_env.ts";

const MAX_WAIT_SECONDS = 4;
/** What starting a process may take while all tests run in parallel. */
const START_SECONDS = 5;

/** A host that takes connections and does something else than answering. */
interface DeadHost extends AsyncDisposable {
  host: string;
}

/** What a dead host does with a connection, until it is closed. */
const MANNERS: Record<string, (connection: Deno.Conn) => Promise<void>> = {
  "says nothing": async (connection) => {
    while (await connection.read(new Uint8Array(65_536)) !== null);
  },
  "sends a header and no body": async (connection) => {
    await answer(connection, "Content-Type: application/json\r\nContent-Length: 1000");
    while (await connection.read(new Uint8Array(65_536)) !== null);
  },
  "sends a byte a second": async (connection) => {
    await answer(connection, "Content-Type: application/json\r\nContent-Length: 100000");
    for (;;) {
      await connection.write(new TextEncoder().encode(" "));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  },
};

async function answer(connection: Deno.Conn, headers: string): Promise<void> {
  await connection.read(new Uint8Array(65_536));
  await connection.write(new TextEncoder().encode(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`));
}

function deadHost(manner: (connection: Deno.Conn) => Promise<void>): DeadHost {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const working: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      working.push(manner(connection).catch(() => {})); // the client has closed it
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

/** Runs a script that must fail in time, and returns what it said. */
async function failsInTime(
  b: TestEnv,
  env: Record<string, string>,
  script: ScriptName,
  ...args: string[]
): Promise<{ code: number; stderr: string }> {
  const started = performance.now();
  const line = commandLine(script, ["--max-wait", `${MAX_WAIT_SECONDS}s`, ...args]);
  const ended = await runProcess(line, { env: { ...b.sandbox.env, ...env }, cwd: b.folder });
  const seconds = (performance.now() - started) / 1000;
  assert(
    seconds < MAX_WAIT_SECONDS + 5 + START_SECONDS,
    `${script} ${args.join(" ")}: ${seconds} s; ${ended.stderr}`,
  );
  return ended;
}

for (const [manner, act] of Object.entries(MANNERS)) {
  Deno.test(`commands end within --max-wait against a Graph that ${manner}`, async () => {
    await using b = await startTestEnv();
    await using dead = deadHost(act);
    await b.file("small.txt", "small");
    await b.file("large.bin", pseudoRandomBytes(5_000_000));
    await Deno.mkdir(join(b.folder, "many"));
    for (let i = 0; i < 20; i++) await b.file(`many/${i}.txt`, String(i));
    const env = { GRAPH_API_ORIGIN: `http://${dead.host}` };
    const commands: [ScriptName, ...string[]][] = [
      ["whoami"],
      ["whoami", "--check"],
      ["ls", "General"],
      ["get", "General/Agenda.md"],
      ["get", "-r", "General"],
      ["put", "small.txt", "General/"],
      ["put", "-r", "many", "General/"],
      ["put-large", "large.bin", "General/"],
    ];
    const ended = await Promise.all(commands.map((command) => failsInTime(b, env, ...command)));
    assertEquals(ended.map(({ code }) => code), commands.map(() => 8), ended.map((e) => e.stderr).join(""));
    const [whoami, , ls] = ended;
    for (const { stderr } of [whoami!, ls!]) assertMatch(stderr, /no progress within 4 s|silent for/);
  });

  Deno.test(`transfers end within --max-wait against a storage that ${manner}`, async () => {
    await using b = await startTestEnv();
    await using dead = deadHost(act);
    await b.file("large.bin", pseudoRandomBytes(5_000_000));
    b.sandbox.tenant.addFile("Documents", "General/big.bin", pseudoRandomBytes(1_000_000));
    const { storageOrigin } = b.sandbox;
    // The links of the sandbox lead to the dead host.
    b.sandbox.addFault({
      service: "graph",
      times: "always",
      rewrite: ({ body, headers, ...rest }) => {
        const link = (text: string) => text.replaceAll(new URL(storageOrigin).host, dead.host);
        const { location } = headers;
        return {
          ...rest,
          headers: location === undefined ? headers : { ...headers, location: link(location) },
          body: typeof body === "string" ? link(body) : body,
        };
      },
    });
    const env = { GRAPH_STORAGE_HOSTS: dead.host };
    const commands: [ScriptName, ...string[]][] = [
      ["get", "General/big.bin", "one.bin"],
      ["get", "--connections", "4", "General/big.bin", "four.bin"],
      ["get", "General/big.bin", "-"],
      ["put-large", "large.bin", "General/"],
    ];
    const ended = await Promise.all(commands.map((command) => failsInTime(b, env, ...command)));
    assertEquals(ended.map(({ code }) => code), [8, 8, 8, 8], ended.map((e) => e.stderr).join(""));
  });
}

Deno.test("a sign-in service that says nothing ends a renewal within --max-wait", async () => {
  await using b = await startTestEnv();
  await using dead = deadHost(MANNERS["says nothing"]!);
  b.sandbox.expireAccessTokens();
  // Tokens are kept by sign-in origin: the cache of the sandbox is given by name.
  const { stdout } = await b.run("whoami", "--json");
  const env = {
    GRAPH_LOGIN_ORIGIN: `http://${dead.host}`,
    GRAPH_TOKEN_CACHE: String(JSON.parse(stdout).cache),
  };
  b.sandbox.expireAccessTokens();
  const { code } = await failsInTime(b, env, "ls", "General");
  assertEquals(code, 8);
});
