/** What happens to the local file of an upload, and to what an earlier run has left of it. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { connect } from "../../lib/connect.ts";
import { uploadFile, uploadLargeFile } from "../../lib/upload/upload.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const UNIT = 327_680;
const OLD = new Date("2024-05-06T07:08:09Z");
const SMALL = ["--fragment-size", "320KiB"];
const fragments = { service: "storage" as const, method: "PUT" };

async function oldFile(b: TestEnv, content: Uint8Array): Promise<string> {
  const path = await b.file("big.bin", content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

/** Uploads a file to which something happens after its first fragment was sent. */
async function uploadWhile(
  b: TestEnv,
  content: Uint8Array,
  change: (path: string) => Promise<void>,
): Promise<{ code: number; stderr: string }> {
  const path = await oldFile(b, content);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // Deno tells the time of a change to the second
  b.sandbox.clearFaults();
  b.sandbox.addFault({
    ...fragments,
    nth: 2,
    rewrite: async (answer) => {
      await change(path);
      return answer;
    },
  });
  return await b.run("put-large", ...SMALL, path, "General/");
}

Deno.test({
  name: "put-large notices a file that changes in place behind its size and time, and only that",
  ignore: Deno.build.os === "windows", // which has no such time
  async fn() {
    await using b = await startTestEnv();
    const content = pseudoRandomBytes(4 * UNIT);
    const changed = await uploadWhile(b, content, async (path) => {
      using file = await Deno.open(path, { write: true });
      await file.write(new Uint8Array([content[0]! ^ 1]));
      await file.utime(OLD, OLD);
    });
    assertEquals(changed.code, 6, changed.stderr);
    assertMatch(changed.stderr, /big\.bin changed during the upload.*\(localChanged\)/);
    assertEquals(b.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
    const touched = await uploadWhile(b, content, (path) => Deno.chmod(path, 0o600));
    assertEquals(touched.code, 0, touched.stderr);
    assertEquals(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
  },
});

/** Leaves an upload unfinished, whose session is at a host that the settings do not name. */
async function elsewhere(b: TestEnv): Promise<string> {
  const path = await oldFile(b, pseudoRandomBytes(4 * UNIT));
  b.sandbox.addFault({
    ...fragments,
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await b.run("put-large", ...SMALL, path, "General/")).code, 8);
  b.sandbox.clearFaults();
  b.sandbox.tenant.expireUploadSessions();
  const folder = `${b.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads`;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const entry = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    entry.uploadUrl = "https://gone.example/upload?tempauth=secret";
    await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(entry));
  }
  return path;
}

Deno.test("a session at a host that is no longer allowed keeps nobody from uploading or giving it up", async () => {
  const notAllowed = /at a host that is not a storage host of these settings/;
  for (const options of [[], ["--no-resume"]]) {
    await using b = await startTestEnv();
    const path = await elsewhere(b);
    const { code, stderr } = await b.run("put-large", ...SMALL, ...options, path, "General/");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, notAllowed);
    assert(!stderr.includes("secret"), stderr);
    assertEquals(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), pseudoRandomBytes(4 * UNIT));
    assertEquals((await b.run("put-large", "--list")).stdout, "");
  }
  await using b = await startTestEnv();
  const path = await elsewhere(b);
  const { code, stderr } = await b.run("put-large", "--abandon", path);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, notAllowed);
  assertEquals((await b.run("put-large", "--list")).stdout, "");
});

Deno.test("sentBytes counts what went to sessions that were lost", async () => {
  await using b = await startTestEnv();
  const path = await oldFile(b, pseudoRandomBytes(4 * UNIT));
  // Both sessions take two fragments, and are gone at the third.
  for (const nth of [3, 6]) {
    b.sandbox.addFault({ ...fragments, nth, status: 404, body: { error: { code: "itemNotFound" } } });
  }
  const { code, stdout, stderr } = await b.run("put-large", "--json", ...SMALL, path, "General/");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /sending it in one request/);
  assertEquals(jsonLines(stdout)[0]!.sentBytes, (3 + 3 + 4) * UNIT);
});

Deno.test("uploadLargeFile() takes a session also for a small file without a time of change", async () => {
  await using b = await startTestEnv({ signIn: false });
  const { GRAPH_SCRIPTS_HOME: home, GRAPH_API_ORIGIN: apiOrigin, ...env } = b.sandbox.env;
  const settings = {
    home: home!,
    apiOrigin: apiOrigin!,
    loginOrigin: env.GRAPH_LOGIN_ORIGIN!,
    storageHosts: env.GRAPH_STORAGE_HOSTS!,
    accessToken: b.sandbox.issueToken(),
  };
  const connection = await connect({ access: "write", settings, notice: () => {} });
  const path = await b.file("small.bin", pseudoRandomBytes(100));
  const { stat } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.stat = async function () {
    return { ...await stat.call(this), mtime: null };
  };
  try {
    await uploadLargeFile(connection, path, "me:large.bin");
    await uploadFile(connection, path, "me:simple.bin");
  } finally {
    Deno.FsFile.prototype.stat = stat;
  }
  const puts = b.sandbox.requests.filter(({ method }) => method === "PUT");
  assertEquals(puts.map(({ service }) => service), ["storage", "graph"]);
});
