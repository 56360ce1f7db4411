/** Changes of the local file during an upload, and leftovers of an earlier run. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { connect } from "../../lib/connect.ts";
import { uploadFile } from "../../lib/upload/upload.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import { unfinishedId } from "./upload_env.ts";

const UNIT = 327_680;
const OLD = new Date("2024-05-06T07:08:09Z");
const SMALL = ["--fragment-size", "320KiB"];
const fragments = { service: "storage" as const, method: "PUT" };

async function oldFile(env: TestEnv, content: Uint8Array): Promise<string> {
  const path = await env.file("big.bin", content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

/** Uploads a file that `change` modifies after the first fragment was sent. */
async function uploadWhile(
  env: TestEnv,
  content: Uint8Array,
  change: (path: string) => Promise<void>,
): Promise<{ code: number; stderr: string }> {
  const path = await oldFile(env, content);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // Deno reports the change time in whole seconds
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    ...fragments,
    nth: 2,
    rewrite: async (response) => {
      await change(path);
      return response;
    },
  });
  return await env.run("put-large", ...SMALL, path, "General/");
}

Deno.test({
  name: "put-large reports content that changes in place with the same size and time",
  ignore: Deno.build.os === "windows", // Windows has no change time
  async fn() {
    await using env = await startTestEnv();
    const content = pseudoRandomBytes(4 * UNIT);
    const changed = await uploadWhile(env, content, async (path) => {
      using file = await Deno.open(path, { write: true });
      await file.write(new Uint8Array([content[0]! ^ 1]));
      await file.utime(OLD, OLD);
    });
    assertEquals(changed.code, 6, changed.stderr);
    assertMatch(changed.stderr, /big\.bin changed during the upload.*\(localChanged\)/);
    assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
    const touched = await uploadWhile(env, content, (path) => Deno.chmod(path, 0o600));
    assertEquals(touched.code, 0, touched.stderr);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
  },
});

/** Leaves an unfinished upload whose session is at a host that the settings do not allow. */
async function elsewhere(env: TestEnv): Promise<string> {
  const path = await oldFile(env, pseudoRandomBytes(4 * UNIT));
  env.sandbox.addFault({
    ...fragments,
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await env.run("put-large", ...SMALL, path, "General/")).code, 8);
  env.sandbox.clearFaults();
  env.sandbox.tenant.expireUploadSessions();
  const folder = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads`;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const entry = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    entry.uploadUrl = "https://gone.example/upload?tempauth=secret";
    await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(entry));
  }
  return path;
}

Deno.test("put-large uploads and cancels when the host of an old session is no longer allowed", async () => {
  for (const options of [[], ["--no-resume"]]) {
    await using env = await startTestEnv();
    const path = await elsewhere(env);
    const { code, stderr } = await env.run("put-large", ...SMALL, ...options, path, "General/");
    assertEquals(code, 0, stderr);
    assert(!stderr.includes("secret"), stderr);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), pseudoRandomBytes(4 * UNIT));
    assertEquals((await env.run("put-large", "--list")).stdout, "");
  }
  await using env = await startTestEnv();
  await elsewhere(env);
  const { code, stderr } = await env.run("put-large", "--abandon", await unfinishedId(env, "big.bin"));
  assertEquals(code, 0, stderr);
  assertEquals((await env.run("put-large", "--list")).stdout, "");
});

Deno.test("uploadFile() creates a session for a small file without a modification time", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { GRAPH_SCRIPTS_HOME: home, GRAPH_API_ORIGIN: apiOrigin, ...origins } = env.sandbox.env;
  const settings = {
    home: home!,
    apiOrigin: apiOrigin!,
    loginOrigin: origins.GRAPH_LOGIN_ORIGIN!,
    storageHosts: origins.GRAPH_STORAGE_HOSTS!,
    accessToken: env.sandbox.issueToken(),
  };
  const connection = await connect({ access: "write", settings, notice: () => {} });
  const path = await env.file("small.bin", pseudoRandomBytes(100));
  const { stat } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.stat = async function () {
    return { ...await stat.call(this), mtime: null };
  };
  try {
    await uploadFile(connection, path, "me:large.bin", { session: true });
    await uploadFile(connection, path, "me:simple.bin");
  } finally {
    Deno.FsFile.prototype.stat = stat;
  }
  const puts = env.sandbox.requests.filter(({ method }) => method === "PUT");
  assertEquals(puts.map(({ service }) => service), ["storage", "graph"]);
});
