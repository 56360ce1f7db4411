import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

/** Creates a remote folder with files, nested folders and an empty one. */
function tree(env: TestEnv): void {
  const { tenant } = env.sandbox;
  const files: Record<string, string> = {
    "a.txt": "a",
    "empty.txt": "",
    "50% #1 & more.txt": "odd",
    "2024/jan/one.txt": "one",
    "2024/feb/Übersicht.txt": "three",
  };
  tenant.addFolder("Documents", "General/Photos/2024/jan");
  tenant.addFolder("Documents", "General/Photos/2024/feb");
  tenant.addFolder("Documents", "General/Photos/2024/nothing");
  for (const [path, content] of Object.entries(files)) {
    tenant.addFile("Documents", `General/Photos/${path}`, content);
  }
}

function downloads(env: TestEnv, from: number) {
  return env.sandbox.requests.slice(from).filter(({ service }) => service === "storage");
}

async function names(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    found.push(entry.name + (entry.isDirectory ? "/" : ""));
    if (entry.isDirectory) {
      found.push(...(await names(join(folder, entry.name))).map((name) => `${entry.name}/${name}`));
    }
  }
  return found.toSorted();
}

Deno.test("get -r downloads a folder with its contents, empty folders included", async () => {
  await using env = await startTestEnv();
  tree(env);
  const { code, stdout, stderr } = await env.run("get", "-r", "General/Photos");
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).length, 5);
  assertEquals(await names(join(env.folder, "Photos")), [
    "2024/",
    "2024/feb/",
    "2024/feb/Übersicht.txt",
    "2024/jan/",
    "2024/jan/one.txt",
    "2024/nothing/",
    "50% #1 & more.txt",
    "a.txt",
    "empty.txt",
  ]);
  assertEquals(await Deno.readTextFile(join(env.folder, "Photos", "2024", "feb", "Übersicht.txt")), "three");
});

Deno.test("get -r keeps the folder's name when DEST ends with a slash or dot", async () => {
  await using env = await startTestEnv();
  tree(env);
  await Deno.mkdir(join(env.folder, "there"));
  for (
    const [destination, file] of [["there/", "there/Photos/a.txt"], [".", "Photos/a.txt"], [
      "there",
      "there/a.txt",
    ], [
      "new/sub",
      "new/sub/a.txt",
    ]]
  ) {
    assertEquals((await env.run("get", "-r", "General/Photos", destination!)).code, 0);
    assertEquals(await Deno.readTextFile(join(env.folder, file!)), "a");
  }
  const several = await env.run(
    "get",
    "-r",
    "General/Photos/2024/jan",
    "General/Photos/a.txt",
    "there",
    "--conflict",
    "replace",
  );
  assertEquals(several.code, 0, several.stderr);
  assertEquals(await Deno.readTextFile(join(env.folder, "there", "jan", "one.txt")), "one");
  assertEquals((await env.run("get", "-r", "")).code, 2, "a root folder has no name");
  assertEquals((await env.run("get", "-r", "General/Photos", "-")).code, 2);
  assertEquals((await env.run("get", "General/Photos")).code, 2);
});

Deno.test("get -r downloads each file in one request, by the link that the listing has", async () => {
  await using env = await startTestEnv();
  tree(env);
  await env.run("ls", "General"); // signs in, and remembers the drive
  const before = env.sandbox.requests.length;
  assertEquals((await env.run("get", "-r", "General/Photos")).code, 0);
  const requests = env.sandbox.requests.slice(before);
  assertEquals(requests.filter(({ service }) => service === "storage").length, 5);
  // The folder itself, and the listings of it and its four subfolders.
  assertEquals(requests.filter(({ service }) => service === "graph").length, 6);
});

Deno.test("get -r reads a file again whose link has expired, or whose content has changed since", async () => {
  await using env = await startTestEnv();
  tree(env);
  env.sandbox.addFault({ service: "storage", sideEffect: "link-expires" });
  env.sandbox.addFault({
    service: "graph",
    path: "/children",
    rewrite: (response) => {
      env.sandbox.tenant.addFile("Documents", "General/Photos/a.txt", "b");
      return response;
    },
  });
  const { code, stdout, stderr } = await env.run("get", "-r", "--json", "General/Photos");
  assertEquals(code, 0, stderr);
  assertEquals(jsonLines(stdout).map(({ verdict }) => verdict), Array(5).fill("verified"));
  const items = env.sandbox.requests.filter(({ path }) => /\/items\/[^/]+$/.test(path));
  assertEquals(items.length, 2, "each of the two once");
  assertEquals(await Deno.readTextFile(join(env.folder, "Photos", "a.txt")), "b");
});

Deno.test("get -r --if-changed fetches only what has changed", async () => {
  await using env = await startTestEnv();
  tree(env);
  assertEquals((await env.run("get", "-r", "General/Photos")).code, 0);
  const before = env.sandbox.requests.length;
  const again = await env.run("get", "-r", "--json", "--if-changed", "General/Photos");
  assertEquals(again.code, 0, again.stderr);
  assertEquals(
    jsonLines(again.stdout).map(({ result, sentBytes, verdict }) => [result, sentBytes, verdict]),
    Array(5).fill(["unchanged", 0, "verified"]),
  );
  assertEquals(downloads(env, before), []);
  env.sandbox.tenant.addFile("Documents", "General/Photos/a.txt", "b");
  const third = await env.run("get", "-r", "--json", "--if-changed", "General/Photos");
  assertEquals(third.code, 6, "different content is a conflict by default");
  const fourth = await env.run(
    "get",
    "-r",
    "--json",
    "--if-changed",
    "--conflict",
    "replace",
    "General/Photos",
  );
  assertEquals(fourth.code, 0, fourth.stderr);
  assertEquals(jsonLines(fourth.stdout).filter(({ result }) => result === "downloaded").length, 1);
});

Deno.test("get --if-changed recognizes a file of unexpected content by its time", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/Photo.heic", "one");
  env.sandbox.addFault({
    service: "storage",
    method: "GET",
    times: "always",
    status: 200,
    body: "\0\0\0\x10ftypheic\0\0\0\0\0\0\0\x1cmetaconverted on the way",
  });
  const { code, stderr } = await env.run("get", "General/Photo.heic");
  assertEquals(code, 0, stderr);
  const [again] = jsonLines((await env.run("get", "--json", "--if-changed", "General/Photo.heic")).stdout);
  assertEquals([again!.result, again!.verdict, again!.sentBytes], ["unchanged", "unverified", 0]);
  env.sandbox.addFault({
    path: "root:/General/Photo.heic",
    patch: { fileSystemInfo: { lastModifiedDateTime: "2030-01-01T00:00:00Z" } },
  });
  assertEquals((await env.run("get", "--if-changed", "General/Photo.heic")).code, 6);
});

Deno.test("get -r --dry-run changes nothing and reports what it would do", async () => {
  await using env = await startTestEnv();
  tree(env);
  await env.file("a.txt", "mine");
  const before = env.sandbox.requests.length;
  const { code, stdout } = await env.run("get", "-r", "--dry-run", "General/Photos");
  assertEquals(code, 0);
  assertEquals(stdout.split("\n").filter((line) => line.startsWith("would download ")).length, 5, stdout);
  assertEquals((await env.run("get", "--dry-run", "General/Photos/a.txt")).code, 6);
  assertEquals(
    (await env.run("get", "--dry-run", "--conflict", "skip", "General/Photos/a.txt")).stdout,
    "skipped General/Photos/a.txt: a.txt already exists\n",
  );
  assertEquals(await names(env.folder), ["a.txt"]);
  assertEquals(downloads(env, before), []);
});

Deno.test("get -r rejects each name that leads out of the folder", async () => {
  await using env = await startTestEnv();
  tree(env);
  const evil = [
    "..",
    "../../evil.txt",
    "/etc/evil",
    "a\\b.txt",
    "line\nbreak",
  ];
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (response) => {
      const body = JSON.parse(response.body as string);
      const file = body.value?.find(({ name }: { name: string }) => name === "a.txt");
      if (!file) return response;
      for (const [index, name] of evil.entries()) {
        body.value.push({ ...file, id: `${file.id}${index}`, name });
      }
      return { ...response, body: JSON.stringify(body) };
    },
  });
  const { code, stdout, stderr } = await env.run("get", "-r", "General/Photos", "sub/dir");
  assertEquals(code, 2);
  assertEquals(
    stderr.split("\n").filter((line) => line.includes("cannot be a local name")).length,
    evil.length,
    stderr,
  );
  assertEquals(stdout.split("\n").filter(Boolean).length, 5, "the other files were not downloaded");
  assertEquals((await names(env.folder)).filter((name) => !name.startsWith("sub/")), []);
  assert(!(await names(env.folder)).some((name) => /evil|\\/.test(name)));
});

Deno.test("get -r continues after a failure, and skips notebooks and shortcuts with a notice", async () => {
  await using env = await startTestEnv();
  tree(env);
  await Deno.mkdir(join(env.folder, "Photos"));
  await Deno.writeTextFile(join(env.folder, "Photos", "2024"), "a file in the place of a folder");
  await env.file("Photos/a.txt", "mine");
  env.sandbox.addFault({
    path: "/children",
    rewrite: (response) => {
      const body = JSON.parse(response.body as string);
      body.value.push(
        { id: "p1", name: "Notes", package: { type: "oneNote" } },
        { id: "l1", name: "Link", remoteItem: { id: "x", parentReference: { driveId: "y" } } },
      );
      return { ...response, body: JSON.stringify(body) };
    },
  });
  const { code, stdout, stderr } = await env.run("get", "-r", "General/Photos");
  assertEquals(code, 6);
  assertMatch(stderr, /Photos\/Notes is skipped: a OneNote notebook/);
  assertMatch(stderr, /Photos\/Link is skipped: shortcuts are not followed/);
  assertMatch(stderr, /a\.txt already exists/);
  assertEquals(stdout.split("\n").filter(Boolean).length, 2, stdout);
  assertEquals(await Deno.readTextFile(join(env.folder, "Photos", "a.txt")), "mine");
});

Deno.test("get rejects a second input for the same local file", async () => {
  await using env = await startTestEnv();
  tree(env);
  env.sandbox.tenant.addFile("Documents", "General/a.txt", "other");
  const { code, stderr } = await env.run(
    "get",
    "--conflict",
    "replace",
    "General/Photos/a.txt",
    "General/a.txt",
    ".",
  );
  assertEquals(code, 6);
  assertMatch(stderr, /General\/Photos\/a\.txt and General\/a\.txt would both become a\.txt/);
  assertEquals(await Deno.readTextFile(join(env.folder, "a.txt")), "a");
});

Deno.test("get -r ends where the service lists a folder inside itself", async () => {
  await using env = await startTestEnv();
  tree(env);
  const folder = env.sandbox.tenant.find("Documents", "General/Photos")!;
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (response) => {
      const body = JSON.parse(response.body as string);
      body.value.push({ id: folder.id, name: "again", folder: { childCount: 1 } });
      return { ...response, body: JSON.stringify(body) };
    },
  });
  const { code, stderr } = await env.run("get", "-r", "General/Photos");
  assertEquals(code, 1);
  assertMatch(stderr, /shows a folder inside itself/);
});

Deno.test({
  name: "get -r does not write through a symlinked subfolder, and downloads the others",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using env = await startTestEnv();
    for (const name of ["planted/a.txt", "planted/deep/b.txt", "plain/c.txt"]) {
      env.sandbox.tenant.addFile("Documents", `General/Tree/${name}`, name);
    }
    const elsewhere = join(env.folder, "elsewhere");
    for (const folder of [elsewhere, join(env.folder, "copy")]) await Deno.mkdir(folder);
    await Deno.symlink(elsewhere, join(env.folder, "copy", "planted"));
    const { code, stdout, stderr } = await env.run("get", "-r", "General/Tree", "copy");
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /copy\/planted is a symbolic link, which is not followed/);
    assertMatch(stdout, /^downloaded General\/Tree\/plain\/c\.txt/);
    assertEquals([...Deno.readDirSync(elsewhere)], []);
    // The destination itself may be a symlink, since the user has named it.
    await Deno.symlink(elsewhere, join(env.folder, "named"));
    assertEquals((await env.run("get", "-r", "General/Tree/plain", "named")).code, 0);
    assertEquals(await Deno.readTextFile(join(elsewhere, "c.txt")), "plain/c.txt");
  },
});
