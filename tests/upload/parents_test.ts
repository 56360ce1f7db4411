import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

/** How many folders were made. */
function created(env: TestEnv): number {
  return env.sandbox.requests.filter(({ method, path }) => method === "POST" && path.endsWith("/children"))
    .length;
}

Deno.test("put --parents makes the missing folders of each kind of location", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  await Deno.mkdir(join(env.folder, "photos"));
  await env.file("photos/p.jpg", "p");
  const cases: [string[], drive: string, path: string][] = [
    [["a.txt", "New/2026/"], "Documents", "New/2026/a.txt"],
    [["a.txt", "New/2027/b.txt"], "Documents", "New/2027/b.txt"],
    [["a.txt", "general/x/y/"], "Documents", "General/x/y/a.txt"],
    [["a.txt", "me:Documents/x/c.txt"], "me", "Documents/x/c.txt"],
    [["a.txt", "General"], "Documents", "General/a.txt"],
    [["-r", "photos", "Trips/2026/Rome"], "Documents", "Trips/2026/Rome/p.jpg"],
    [["-r", "photos", "Trips/2027/"], "Documents", "Trips/2027/photos/p.jpg"],
  ];
  for (const [args, drive, path] of cases) {
    const { code, stderr } = await env.run("put", "--parents", ...args);
    assertEquals(code, 0, `${args.join(" ")} ${stderr}`);
    assert(env.sandbox.tenant.find(drive, path), path);
  }
});

Deno.test("put --parents makes each folder once, however many files go into it", async () => {
  await using env = await startTestEnv();
  const files = await Promise.all(["a.txt", "b.txt", "c.txt", "d.txt"].map((name) => env.file(name, name)));

  const { code, stderr } = await env.run("put", "--parents", ...files, "New/deep/");

  assertEquals(code, 0, stderr);
  assertEquals(created(env), 2);
  assert(env.sandbox.tenant.find("Documents", "New/deep/d.txt"));
});

Deno.test("put --parents takes a folder that another client makes at the same time", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  env.sandbox.addFault({ method: "POST", path: "/children", nth: 1, when: "after", status: 409 });

  const { code, stderr } = await env.run("put", "--parents", "a.txt", "New/deep/");

  assertEquals(code, 0, stderr);
  assert(env.sandbox.tenant.find("Documents", "New/deep/a.txt"));
});

Deno.test("put --parents --dry-run makes nothing and says what it would make", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  await env.file("b.txt", "b");

  const { code, stdout, stderr } = await env.run(
    "put",
    "--parents",
    "--dry-run",
    "a.txt",
    "b.txt",
    "New/deep/",
  );

  assertEquals(code, 0, stderr);
  assertEquals(
    stdout.split("\n").toSorted().join("\n").trim(),
    [
      "would create New/deep/a.txt (1 B)",
      "would create New/deep/b.txt (1 B)",
    ].join("\n"),
  );
  assertEquals(stderr, "put: would make the folder New\nput: would make the folder New/deep\n");
  assertEquals(env.sandbox.tenant.find("Documents", "New"), undefined);
});

Deno.test("put --parents goes on with an interrupted upload into a folder that it has made", async () => {
  await using env = await startTestEnv();
  await env.file("big.bin", pseudoRandomBytes(11 * 1024 * 1024));
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 2,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await env.run("put", "--parents", "big.bin", "New/deep/")).code, 8);
  env.sandbox.clearFaults();

  const { code, stdout, stderr } = await env.run("put", "--parents", "--json", "big.bin", "New/deep/");

  assertEquals(code, 0, stderr);
  assert(jsonLines(stdout)[0]!.resumedFrom !== null, stdout);
});

Deno.test("put --parents rejects names that no folder can have, and files in its way", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  await env.file("b.txt", "b");
  const cases: [string[], number, RegExp][] = [
    [["a.txt", "New/con/x/"], 2, /illegal name "con"/],
    [["a.txt", "General/Agenda.md/x/"], 2, /Agenda\.md is a file, not a folder/],
    [["a.txt", "b.txt", "New/deep"], 2, /write New\/deep\//],
    [["a.txt", "Gen*/"], 2, /illegalName/],
    [["-", "New/"], 2, /standard input has no name/],
  ];
  for (const [args, code, text] of cases) {
    const result = await env.run("put", "--parents", ...args);
    assertEquals(result.code, code, args.join(" "));
    assertMatch(result.stderr, text);
  }
  assertEquals(env.sandbox.tenant.find("Documents", "New/con"), undefined);
});

Deno.test("put takes an existing folder without a slash for several files, as cp does", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  await env.file("b.txt", "b");

  assertEquals((await env.run("put", "a.txt", "b.txt", "General")).code, 0);
  assert(env.sandbox.tenant.find("Documents", "General/b.txt"));
  const { code, stderr } = await env.run("put", "a.txt", "b.txt", "Nope");
  assertEquals(code, 3);
  assertMatch(stderr, /the folder Nope does not exist; .* --parents/);
});

Deno.test("put -r --include and --exclude send only what they select, and no empty folders for --include", async () => {
  await using env = await startTestEnv();
  for (const path of ["src/old", "src/empty", "src/deep/er"]) {
    await Deno.mkdir(join(env.folder, path), { recursive: true });
  }
  for (const path of ["a.jpg", "b.txt", "old/c.jpg", "deep/er/d.JPG"]) await env.file(`src/${path}`, path);
  const stored = (root: string) =>
    ["a.jpg", "b.txt", "old", "old/c.jpg", "empty", "deep/er/d.JPG"].filter((path) =>
      env.sandbox.tenant.find("Documents", `${root}/${path}`)
    );

  const included = await env.run("put", "-r", "--include", "*.jpg", "--exclude", "old/**", "src", "Inc");
  const excluded = await env.run("put", "-r", "--exclude", "*.jpg", "src", "Exc");
  const wrong = await env.run("put", "--include", "*.jpg", "src/a.jpg", "General/");

  assertEquals([included.code, excluded.code], [0, 0], included.stderr + excluded.stderr);
  assertEquals(stored("Inc"), ["a.jpg", "deep/er/d.JPG"]);
  assertEquals(stored("Exc"), ["b.txt", "old", "empty"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /--include and --exclude select from folders; add -r/);
});
