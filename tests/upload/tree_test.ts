import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { wordDocument } from "./documents.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Creates a folder with files, nested and empty folders, and names with special characters. */
async function tree(env: TestEnv, name = "photos"): Promise<string> {
  const root = join(env.folder, name);
  const files: Record<string, string> = {
    "a.txt": "a",
    "empty.txt": "",
    "50% #1 & more.txt": "odd",
    "2024/jan/one.txt": "one",
    "2024/feb/two.txt": "two",
    "2024/feb/Übersicht.txt": "three",
  };
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(join(root, ...path.split("/").slice(0, -1)), { recursive: true });
    await Deno.writeTextFile(join(root, ...path.split("/")), content);
  }
  await Deno.mkdir(join(root, "2024", "nothing"), { recursive: true });
  return root;
}

function contentRequests(env: TestEnv, from: number) {
  return env.sandbox.requests.slice(from).filter(({ method }) => method === "PUT");
}

Deno.test("put -r uploads a folder with its contents and creates each folder once, empty ones included", async () => {
  await using env = await startTestEnv();
  await tree(env);
  const before = env.sandbox.requests.length;
  const { code, stdout, stderr } = await env.run("put", "-r", "photos", "General/Photos");
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).toSorted(), [
    "created General/Photos/2024/feb/two.txt (3 B, verified)",
    "created General/Photos/2024/feb/Übersicht.txt (5 B, verified)",
    "created General/Photos/2024/jan/one.txt (3 B, verified)",
    "created General/Photos/50% #1 & more.txt (3 B, verified)",
    "created General/Photos/a.txt (1 B, verified)",
    "created General/Photos/empty.txt (0 B, verified)",
  ]);
  const made = env.sandbox.requests.slice(before).filter(({ method, path }) =>
    method === "POST" && path.endsWith("/children")
  );
  assertEquals(made.length, 5, "Photos, 2024, jan, feb, nothing");
  assertEquals(text(await env.sandbox.tenant.bytes("Documents", "General/Photos/2024/feb/two.txt")), "two");
  assertEquals(env.sandbox.tenant.find("Documents", "General/Photos/2024/nothing")?.kind, "folder");
});

Deno.test("put -r keeps the folder's name when the location ends with a slash", async () => {
  await using env = await startTestEnv();
  const root = await tree(env);
  assertEquals((await env.run("put", "-r", "photos", "General/")).code, 0);
  assertEquals(
    (await env.runProcessWith({ cwd: root }, "put", "-r", ".", "Archive/")).code,
    3,
    "there is no such folder",
  );
  assertEquals((await env.runProcessWith({ cwd: root }, "put", "-r", ".", "me:Documents/")).code, 0);
  for (
    const [drive, path] of [["Documents", "General/photos/a.txt"], ["me", "Documents/photos/a.txt"]] as const
  ) {
    assert(env.sandbox.tenant.find(drive, path), path);
  }
  const { code, stderr } = await env.run("put", "-r", "photos", "General/Nope/Photos");
  assertEquals(code, 3);
  assertMatch(stderr, /the folder General\/Nope does not exist/);
});

Deno.test("put -r --if-changed sends only what has changed", async () => {
  await using env = await startTestEnv();
  const root = await tree(env);
  await env.file("photos/large.bin", pseudoRandomBytes(5 * 1024 * 1024));
  assertEquals((await env.run("put", "-r", "photos", "General/Photos")).code, 0);
  const before = env.sandbox.requests.length;
  const again = await env.run("put", "-r", "--json", "--if-changed", "photos", "General/Photos");
  assertEquals(again.code, 0, again.stderr);
  const lines = jsonLines(again.stdout);
  assertEquals(lines.map(({ result, sentBytes }) => [result, sentBytes]), Array(7).fill(["unchanged", 0]));
  assert(lines.every(({ verdict }) => verdict === "verified"));
  assertEquals(contentRequests(env, before), []);
  await Deno.writeTextFile(join(root, "a.txt"), "b");
  const third = jsonLines(
    (await env.run("put", "-r", "--json", "--if-changed", "photos", "General/Photos")).stdout,
  );
  assertEquals(third.filter(({ result }) => result === "replaced").map(({ path }) => path), [
    "General/Photos/a.txt",
  ]);
});

Deno.test("put -r --if-changed recognizes a file that SharePoint rewrote, even after its response", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "after-response";
  const file = await env.file("Report.docx", wordDocument(2000));
  await Deno.utime(file, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  assertEquals((await env.run("put", "--if-changed", file, "General/New.docx")).code, 0);
  const before = env.sandbox.requests.length;
  const { stdout } = await env.run("put", "--json", "--if-changed", file, "General/New.docx");
  assertEquals(jsonLines(stdout).map(({ result, verdict }) => [result, verdict]), [[
    "unchanged",
    "unverified", // the rewritten file has not been read back
  ]]);
  assertEquals(contentRequests(env, before), []);
  env.sandbox.tenant.addFile("Documents", "General/New.docx", "somebody else's");
  assertEquals(
    jsonLines((await env.run("put", "--json", "--if-changed", file, "General/New.docx")).stdout)[0]!.result,
    "replaced",
  );
});

Deno.test("put -r --dry-run changes nothing and reports what it would do", async () => {
  await using env = await startTestEnv();
  await tree(env);
  env.sandbox.tenant.addFile("Documents", "General/Photos/a.txt", "old");
  env.sandbox.tenant.addFile("Documents", "General/Photos/empty.txt", "");
  const before = env.sandbox.requests.length;
  const { code, stdout, stderr } = await env.run(
    "put",
    "-r",
    "--if-changed",
    "--dry-run",
    "photos",
    "General/Photos",
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).toSorted(), [
    "unchanged General/Photos/empty.txt (0 B, verified)",
    "would create General/Photos/2024/feb/two.txt (3 B)",
    "would create General/Photos/2024/feb/Übersicht.txt (5 B)",
    "would create General/Photos/2024/jan/one.txt (3 B)",
    "would create General/Photos/50% #1 & more.txt (3 B)",
    "would replace General/Photos/a.txt (1 B)",
  ]);
  assertMatch(stderr, /would make the folder General\/Photos\/2024\/nothing/);
  assertEquals(
    env.sandbox.requests.slice(before).filter(({ service, method }) =>
      service === "graph" && method !== "GET"
    ),
    [],
  );
  const one = await env.run("put", "--dry-run", "--conflict", "fail", "photos/a.txt", "General/Photos/");
  assertEquals(one.code, 6);
  assertMatch(one.stderr, /General\/Photos\/a\.txt already exists/);
});

Deno.test("put -r lists all forbidden names before it sends anything", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const root = await tree(env);
  await Deno.writeTextFile(join(root, "what?.txt"), "x");
  await Deno.writeTextFile(join(root, "2024", "ends with a dot."), "x");
  await Deno.writeTextFile(join(root, "A.TXT"), "x");
  const before = env.sandbox.requests.length;
  const { code, stderr } = await env.run("put", "-r", "photos", "General/Photos");
  assertEquals(code, 2);
  assertMatch(stderr, /rename what cannot be stored/);
  for (
    const part of ["what?.txt", "ends with a dot.", "a.txt: the service treats the name as equal to A.TXT"]
  ) {
    assert(stderr.includes(part), `${part}: ${stderr}`);
  }
  assertEquals(stderr.split("\n").length, 2, "one line");
  assertEquals(env.sandbox.requests.length, before);
});

Deno.test("put -r follows symlinks to files, and skips symlinks to folders with a notice", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const root = await tree(env);
  await Deno.symlink(join(root, "a.txt"), join(root, "link.txt"));
  await Deno.symlink(root, join(root, "loop"));
  await Deno.symlink("nowhere", join(root, "dangling"));
  const { code, stderr } = await env.run("put", "-r", "photos", "General/Photos");
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /skipped in photos, since they are neither files nor folders: photos\/dangling, photos\/loop\n/,
  );
  assertEquals(text(await env.sandbox.tenant.bytes("Documents", "General/Photos/link.txt")), "a");
  assertEquals(env.sandbox.tenant.find("Documents", "General/Photos/loop"), undefined);
});

Deno.test("put -r continues after a failure, and put without -r rejects a folder", async () => {
  await using env = await startTestEnv();
  await tree(env);
  assertEquals((await env.run("put", "photos", "General/Photos")).code, 2);
  env.sandbox.addFault({ method: "PUT", path: "a.txt", status: 423, times: "always" });
  env.sandbox.tenant.addFile("Documents", "General/Photos/2024/feb", "a file in the place of a folder");
  const { code, stdout, stderr } = await env.run("put", "-r", "--jobs", "1", "photos", "General/Photos");
  assertEquals(code, 6);
  assertEquals(stderr.split("\n").filter(Boolean).length, 4, stderr);
  assertMatch(stderr, /\nput: 3 created \(6 B\), 3 failed, in 0:\d\d\n$/);
  assertEquals(stdout.split("\n").filter(Boolean).length, 3);
});

Deno.test("put -r sends at most --jobs files concurrently", async () => {
  await using env = await startTestEnv();
  for (let i = 0; i < 9; i++) await env.file(`${i}.txt`, `${i}`);
  const files = Array.from({ length: 9 }, (_, i) => `${i}.txt`);
  for (const [jobs, most] of [[["--jobs", "2"], 2], [[], 8]] as const) {
    let now = 0;
    let seen = 0;
    env.sandbox.clearFaults();
    env.sandbox.addFault({
      method: "PUT",
      times: "always",
      rewrite: async (response) => {
        seen = Math.max(seen, ++now);
        await new Promise((resolve) => setTimeout(resolve, 60));
        now--;
        return response;
      },
    });
    assertEquals((await env.run("put", ...jobs, ...files, "General/")).code, 0);
    assertEquals(seen, most);
  }
});

Deno.test("put -r waits until a created folder is visible", async () => {
  await using env = await startTestEnv();
  await tree(env);
  env.sandbox.addFault({ path: "one.txt", status: 404, times: 2 });
  const { code, stderr } = await env.run("put", "-r", "photos", "General/Photos");
  assertEquals(code, 0, stderr);
  await Deno.writeTextFile(join(env.folder, "photos", "2024", "jan", "one.txt"), "changed");
  env.sandbox.addFault({ path: "one.txt", status: 404, times: "always" });
  assertEquals(
    (await env.run("put", "-r", "photos", "General/Photos")).code,
    3,
    "404 in an existing folder is not retried",
  );
});

Deno.test("put -r uses a folder that another client just created or whose response is empty", async () => {
  await using env = await startTestEnv();
  await tree(env);
  env.sandbox.addFault({ method: "POST", path: "/children", when: "after", status: 201, body: "" });
  env.sandbox.addFault({ method: "POST", path: "/children", nth: 2, when: "after", status: 409 });
  const { code, stderr } = await env.run("put", "-r", "photos", "General/Photos");
  assertEquals(code, 0, stderr);
  assert(env.sandbox.tenant.find("Documents", "General/Photos/2024/jan/one.txt"));
});

Deno.test("put --times keeps the modification time of a small file with a session and no second version", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  const time = new Date("2020-02-03T04:05:06.789Z");
  await Deno.utime(file, time, time);
  const before = env.sandbox.requests.length;
  assertEquals((await env.run("put", "--times", file, "General/")).code, 0);
  const [item] = jsonLines((await env.run("ls", "--json", "General/a.txt")).stdout);
  assertEquals(item!.modified, "2020-02-03T04:05:06Z");
  assertEquals(env.sandbox.requests.slice(before).filter(({ method }) => method === "PATCH"), []);
  assertEquals((await env.run("put", "--times", await env.file("none.txt", ""), "General/")).code, 0);
});

Deno.test("put uploads small and large standard input", async () => {
  await using env = await startTestEnv();
  for (const size of [0, 3, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1]) {
    const stdin = pseudoRandomBytes(size, size + 1);
    const { code, stdout, stderr } = await env.runWith({ stdin }, "put", "--json", "-", "General/in.bin");
    assertEquals(code, 0, stderr);
    assertEquals([jsonLines(stdout)[0]!.local, jsonLines(stdout)[0]!.bytes], ["-", size]);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/in.bin"), stdin);
  }
  const home = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
  assertEquals(await Array.fromAsync(Deno.readDir(join(home, "spool"))), []);
  const { code, stderr } = await env.runWith({ stdin: pseudoRandomBytes(3) }, "put", "-", "General/");
  assertEquals(code, 2);
  assertMatch(stderr, /has no name; name the file after its folder/);
  assertEquals((await env.run("put-large", "-", "General/x.bin")).code, 2);
});

Deno.test("put cancels a failed upload of standard input, so that the next one succeeds", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const stdin = pseudoRandomBytes(12 * 1024 * 1024);
  env.sandbox.addFault({ service: "storage", method: "PUT", nth: 2, status: 507 });
  assertEquals((await env.runWith({ stdin }, "put", "-", "General/in.bin")).code, 9);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  env.sandbox.addFault({
    service: "storage",
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await env.runWith({ stdin }, "put", "-", "General/in.bin")).code, 8);
  env.sandbox.clearFaults();
  assertEquals((await env.runWith({ stdin }, "put", "-", "General/in.bin")).code, 0);
  assertEquals(env.sandbox.tenant.openSessions(), []);
});

Deno.test({
  name: "put -r reports skipped devices in one line",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using env = await startTestEnv();
    const folder = join(env.folder, "odd");
    await Deno.mkdir(folder);
    for (let i = 0; i < 8; i++) await Deno.symlink("/dev/null", join(folder, `device${i}`));
    const { code, stderr } = await env.run("put", "-r", "odd", "General/odd");
    assertEquals(code, 0, stderr);
    assertEquals(
      stderr,
      "put: skipped in odd, since they are neither files nor folders: odd/device0, odd/device1, odd/device2, odd/device3, odd/device4, …\n",
    );
  },
});
