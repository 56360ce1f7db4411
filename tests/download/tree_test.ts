import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

/** A remote folder with files, folders in folders, and an empty one. */
function tree(b: TestEnv): void {
  const { tenant } = b.sandbox;
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

function downloads(b: TestEnv, from: number) {
  return b.sandbox.requests.slice(from).filter(({ service }) => service === "storage");
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

Deno.test("get -r brings a folder with all that is in it, empty folders as well", async () => {
  await using b = await startTestEnv();
  tree(b);
  const { code, stdout, stderr } = await b.run("get", "-r", "General/Photos");
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).length, 5);
  assertEquals(await names(join(b.folder, "Photos")), [
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
  assertEquals(await Deno.readTextFile(join(b.folder, "Photos", "2024", "feb", "Übersicht.txt")), "three");
});

Deno.test("a DEST with a slash, or a dot, keeps the folder's name; any other becomes the folder", async () => {
  await using b = await startTestEnv();
  tree(b);
  await Deno.mkdir(join(b.folder, "there"));
  for (
    const [destination, file] of [["there/", "there/Photos/a.txt"], [".", "Photos/a.txt"], [
      "there",
      "there/a.txt",
    ], [
      "new/sub",
      "new/sub/a.txt",
    ]]
  ) {
    assertEquals((await b.run("get", "-r", "General/Photos", destination!)).code, 0);
    assertEquals(await Deno.readTextFile(join(b.folder, file!)), "a");
  }
  const several = await b.run(
    "get",
    "-r",
    "General/Photos/2024/jan",
    "General/Photos/a.txt",
    "there",
    "--conflict",
    "replace",
  );
  assertEquals(several.code, 0, several.stderr);
  assertEquals(await Deno.readTextFile(join(b.folder, "there", "jan", "one.txt")), "one");
  assertEquals((await b.run("get", "-r", "")).code, 2, "a root folder has no name");
  assertEquals((await b.runProcess("get", "-r", "General/Photos", "-")).code, 2);
  assertEquals((await b.run("get", "General/Photos")).code, 2);
});

Deno.test("a second run with --if-changed fetches no content; what has changed is fetched", async () => {
  await using b = await startTestEnv();
  tree(b);
  assertEquals((await b.run("get", "-r", "General/Photos")).code, 0);
  const before = b.sandbox.requests.length;
  const again = await b.run("get", "-r", "--json", "--if-changed", "General/Photos");
  assertEquals(again.code, 0, again.stderr);
  assertEquals(
    jsonLines(again.stdout).map(({ result, sentBytes, verdict }) => [result, sentBytes, verdict]),
    Array(5).fill(["unchanged", 0, "verified"]),
  );
  assertEquals(downloads(b, before), []);
  b.sandbox.tenant.addFile("Documents", "General/Photos/a.txt", "b");
  const third = await b.run("get", "-r", "--json", "--if-changed", "General/Photos");
  assertEquals(third.code, 6, "another content is a conflict, unless told otherwise");
  const fourth = await b.run(
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

Deno.test("a file that always comes with another content than is stated is known again", async () => {
  await using b = await startTestEnv();
  b.sandbox.tenant.addFile("Documents", "General/Photo.heic", "one");
  b.sandbox.addFault({
    service: "storage",
    method: "GET",
    times: "always",
    status: 200,
    body: "\0\0\0\x10ftypheic\0\0\0\0\0\0\0\x1cmetaconverted on the way",
  });
  const { code, stderr } = await b.run("get", "General/Photo.heic");
  assertEquals(code, 0, stderr);
  const [again] = jsonLines((await b.run("get", "--json", "--if-changed", "General/Photo.heic")).stdout);
  assertEquals([again!.result, again!.verdict, again!.sentBytes], ["unchanged", "enriched", 0]);
  b.sandbox.tenant.addFile("Documents", "General/Photo.heic", "another");
  assertEquals((await b.run("get", "--if-changed", "General/Photo.heic")).code, 6);
});

Deno.test("--dry-run makes nothing and says what would be done", async () => {
  await using b = await startTestEnv();
  tree(b);
  await b.file("a.txt", "mine");
  const before = b.sandbox.requests.length;
  const { code, stdout } = await b.run("get", "-r", "--dry-run", "General/Photos");
  assertEquals(code, 0);
  assertEquals(stdout.split("\n").filter((line) => line.startsWith("would download ")).length, 5, stdout);
  assertEquals((await b.run("get", "--dry-run", "General/Photos/a.txt")).code, 6);
  assertEquals(
    (await b.run("get", "--dry-run", "--conflict", "skip", "General/Photos/a.txt")).stdout,
    "skipped General/Photos/a.txt: a.txt exists already\n",
  );
  assertEquals(await names(b.folder), ["a.txt"]);
  assertEquals(downloads(b, before), []);
});

Deno.test("names that a disk cannot hold, or that lead out of the folder, are refused one by one", async () => {
  await using b = await startTestEnv();
  tree(b);
  const evil = [
    "..",
    "../../evil.txt",
    "/etc/evil",
    "a\\b.txt",
    "CON",
    "nul.txt",
    "A.TXT",
    "dot.",
    `${"x".repeat(254)}ü`,
    "line\nbreak",
  ];
  b.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (answer) => {
      const body = JSON.parse(answer.body as string);
      const file = body.value?.find(({ name }: { name: string }) => name === "a.txt");
      if (!file) return answer;
      for (const [index, name] of evil.entries()) {
        body.value.push({ ...file, id: `${file.id}${index}`, name });
      }
      return { ...answer, body: JSON.stringify(body) };
    },
  });
  const { code, stdout, stderr } = await b.run("get", "-r", "General/Photos", "sub/dir");
  assertEquals(code, 2);
  assertEquals(
    stderr.split("\n").filter((line) => line.includes("cannot be a local name")).length,
    evil.length,
    stderr,
  );
  assertEquals(stdout.split("\n").filter(Boolean).length, 5, "the others came");
  assertEquals((await names(b.folder)).filter((name) => !name.startsWith("sub/")), []);
  assert(!(await names(b.folder)).some((name) => /evil|\\|CON|nul/.test(name)));
});

Deno.test("one failure does not stop the others; notebooks and shortcuts are left out and told", async () => {
  await using b = await startTestEnv();
  tree(b);
  await Deno.mkdir(join(b.folder, "Photos"));
  await Deno.writeTextFile(join(b.folder, "Photos", "2024"), "a file in the place of a folder");
  await b.file("Photos/a.txt", "mine");
  b.sandbox.addFault({
    path: "/children",
    rewrite: (answer) => {
      const body = JSON.parse(answer.body as string);
      body.value.push(
        { id: "p1", name: "Notes", package: { type: "oneNote" } },
        { id: "l1", name: "Link", remoteItem: { id: "x", parentReference: { driveId: "y" } } },
      );
      return { ...answer, body: JSON.stringify(body) };
    },
  });
  const { code, stdout, stderr } = await b.run("get", "-r", "General/Photos");
  assertEquals(code, 6);
  assertMatch(stderr, /Photos\/Notes is left out: a OneNote notebook/);
  assertMatch(stderr, /Photos\/Link is left out: shortcuts are not followed/);
  assertMatch(stderr, /a\.txt exists already/);
  assertEquals(stdout.split("\n").filter(Boolean).length, 2, stdout);
  assertEquals(await Deno.readTextFile(join(b.folder, "Photos", "a.txt")), "mine");
});

Deno.test("two inputs that would become one local file: the second is refused", async () => {
  await using b = await startTestEnv();
  tree(b);
  b.sandbox.tenant.addFile("Documents", "General/a.txt", "other");
  const { code, stderr } = await b.run(
    "get",
    "--conflict",
    "replace",
    "General/Photos/a.txt",
    "General/a.txt",
    ".",
  );
  assertEquals(code, 6);
  assertMatch(stderr, /General\/Photos\/a\.txt and General\/a\.txt would both become a\.txt/);
  assertEquals(await Deno.readTextFile(join(b.folder, "a.txt")), "a");
});

Deno.test("a folder that the service shows inside of itself ends", async () => {
  await using b = await startTestEnv();
  tree(b);
  const folder = b.sandbox.tenant.find("Documents", "General/Photos")!;
  b.sandbox.addFault({
    path: "/children",
    times: "always",
    rewrite: (answer) => {
      const body = JSON.parse(answer.body as string);
      body.value.push({ id: folder.id, name: "again", folder: { childCount: 1 } });
      return { ...answer, body: JSON.stringify(body) };
    },
  });
  const { code, stderr } = await b.run("get", "-r", "General/Photos");
  assertEquals(code, 1);
  assertMatch(stderr, /shows a folder inside itself/);
});

Deno.test({
  name: "get -r does not write through a symlinked subfolder, and fetches the others",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using b = await startTestEnv();
    for (const name of ["planted/a.txt", "planted/deep/b.txt", "plain/c.txt"]) {
      b.sandbox.tenant.addFile("Documents", `General/Tree/${name}`, name);
    }
    const elsewhere = join(b.folder, "elsewhere");
    for (const folder of [elsewhere, join(b.folder, "copy")]) await Deno.mkdir(folder);
    await Deno.symlink(elsewhere, join(b.folder, "copy", "planted"));
    const { code, stdout, stderr } = await b.run("get", "-r", "General/Tree", "copy");
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /copy\/planted is a symbolic link, and is not written through/);
    assertMatch(stdout, /^downloaded General\/Tree\/plain\/c\.txt/);
    assertEquals([...Deno.readDirSync(elsewhere)], []);
    // The destination itself may be a link: the user has named it.
    await Deno.symlink(elsewhere, join(b.folder, "named"));
    assertEquals((await b.run("get", "-r", "General/Tree/plain", "named")).code, 0);
    assertEquals(await Deno.readTextFile(join(elsewhere, "c.txt")), "plain/c.txt");
  },
});
