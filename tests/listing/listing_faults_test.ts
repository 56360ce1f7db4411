/** `ls` with unusual pages and items (PROTOCOL 4.1 and 17.2, item 15), and expiring tokens (11 and 12). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { type FaultEnv, faultTest, FOUR_FRAGMENTS } from "../campaign/fault_env.ts";
import { jsonLines } from "../test_env.ts";

const PAGES = 5;

/** The names that `ls` prints of the folder with 1,000 files. */
async function listed(env: FaultEnv): Promise<string[]> {
  const { code, stdout, stderr } = await env.run("ls", "--json", "Thousand");
  assertEquals(code, 0, stderr);
  return jsonLines(stdout).map(({ name }) => name as string);
}

function assertThousand(names: string[]): void {
  assertEquals([names.length, new Set(names).size], [1000, 1000]);
}

faultTest(
  "next-link-loop",
  "ls fails at the first repeated page (exit code 1)",
  async (env) => {
    const { code, stdout, stderr } = await env.run("ls", "Thousand");
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^ls: listing of Thousand: the service repeats the same page; .*\(pageLoop\)\n$/,
    );
    assertEquals(stdout.trim().split("\n").length, 200, "items were printed more than once");
    assert(env.story().length <= 3, env.story().join());
  },
);

faultTest("page-repeats-item", "ls prints a repeated item once", async (env) => {
  assertThousand(await listed(env));
  assertEquals(env.story(), Array(1 + PAGES).fill("list 200")); // the first page again, by id
});

faultTest("empty-page", "ls continues after an empty page", async (env) => {
  assertThousand(await listed(env));
  assertEquals(env.story(), ["list 200", "look up 200", ...Array(PAGES + 1).fill("list 200")]);
});

for (
  const [name, title, type] of [
    ["item-without-facet", "ls lists an item of unknown type", "file"],
    ["package", "ls lists a notebook as a package", "package"],
    ["remote-item", "ls lists a shortcut as a link", "link"],
  ] as const
) {
  faultTest(name, title, async (env) => {
    const { code, stdout, stderr } = await env.run("ls", "--json", "General");
    assertEquals(code, 0, stderr);
    const items = jsonLines(stdout);
    assertEquals(items.length, env.sandbox.tenant.find("Documents", "General")!.children.length);
    assertEquals(items.find((item) => item.name === "Agenda.md")?.type, type);
  });
}

faultTest("package", "get rejects a package without requesting content (exit code 2)", async (env) => {
  env.sandbox.addFault({
    service: "graph",
    path: "root:/General/Agenda.md",
    times: "always",
    patch: { file: null, package: { type: "oneNote" } },
  });
  await env.run("ls", "General");
  const { code, stderr } = await env.run("get", "General/Agenda.md");
  assertEquals(code, 2);
  assertMatch(stderr, /a OneNote notebook, which has no content of its own/);
  assert(env.requests().every(({ service }) => service === "graph"), "content was requested");
});

faultTest("remote-item", "ls -R does not follow a shortcut", async (env) => {
  const { code, stderr } = await env.run("ls", "-R", "General");
  assertEquals(code, 0, stderr);
  assert(
    env.requests().every(({ path }) => !path.includes("01ELSEWHERE") && !path.includes("01REMOTE")),
    "followed",
  );
});

faultTest(
  "new-folder-not-yet-there",
  "ls does not wait for a missing folder (exit code 3)",
  async (env) => {
    const authorization = `Bearer ${env.sandbox.issueToken()}`;
    const made = await fetch(`${env.sandbox.apiOrigin}/v1.0/me/drive/root/children`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ name: "New", folder: {} }),
    });
    assertEquals((await made.json()).name, "New");
    const misses = () => env.requests().filter(({ status }) => status === 404).length;
    const { code, stderr } = await env.run("ls", "me:New");
    assertEquals(code, 3);
    assertMatch(stderr, /does not exist/);
    assertEquals(misses(), 2); // of its children, and of itself
    assertEquals((await env.run("ls", "me:New")).code, 0);
    assertEquals(misses(), 2);
  },
);

faultTest("new-folder-not-yet-there", "put -r waits until its created folders are visible", async (env) => {
  await Deno.mkdir(`${env.folder}/New`);
  await env.file("New/a.txt", "a");
  await env.file("New/big.bin", FOUR_FRAGMENTS);
  const { code, stderr } = await env.run("put", "-r", "New", "General/");
  assertEquals(code, 0, stderr);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/New/big.bin"), FOUR_FRAGMENTS);
  assertEquals(env.sandbox.tenant.find("Documents", "General/New")!.children.toSorted(), [
    "a.txt",
    "big.bin",
  ]);
});

faultTest(
  "token-expires-in-listing",
  "ls refreshes the token once and requests the same page again",
  async (env) => {
    assertThousand(await listed(env));
    const story = env.story();
    assertEquals(story.filter((word) => word.startsWith("list")), [
      ...["list 200", "list 200", "list 200", "list 401"],
      ...["list 200", "list 200", "list 200"],
    ]);
    const refused = env.requests().findIndex(({ status }) => status === 401);
    const after = env.requests().slice(refused + 1);
    assertEquals(after.filter(({ service }) => service === "login").map(({ status }) => status), [200]);
    assertEquals(after.find(({ service }) => service === "graph")!.path, env.requests()[refused]!.path);
  },
  { signIn: true },
);

faultTest("claims-challenge", "ls refreshes the token once with the claims and continues", async (env) => {
  const { code, stdout, stderr } = await env.run("ls", "General");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Agenda\.md$/m);
  // The sandbox rejects tokens issued without these claims.
  const refused = env.requests().findIndex(({ status }) => status === 401);
  const after = env.requests().slice(refused + 1).map(({ service, status }) => `${service} ${status}`);
  assertEquals(after, ["login 200", "graph 200"]);
}, { signIn: true });

faultTest(
  "claims-challenge",
  "ls with GRAPH_ACCESS_TOKEN fails at a claims challenge (exit code 4)",
  async (env) => {
    const { code, stdout, stderr } = await env.run("ls", "General");
    assertEquals([code, stdout], [4, ""]);
    assertMatch(stderr, /does not accept GRAPH_ACCESS_TOKEN/);
    assertEquals(env.story(), ["list 401"]);
  },
);

faultTest(
  "claims-challenge-needs-person",
  "ls without a terminal fails after one refresh (exit code 4)",
  async (env) => {
    const { code, stdout, stderr } = await env.run("ls", "General");
    assertEquals([code, stdout], [4, ""]);
    assertMatch(
      stderr,
      /multi-factor authentication is needed.*sign in again with: scripts\/whoami\.ts.*AADSTS50076/s,
    );
    const refused = env.requests().findIndex(({ status }) => status === 401);
    const after = env.requests().slice(refused + 1).map(({ service, status }) => `${service} ${status}`);
    assertEquals(after, ["login 400"]);
  },
  { signIn: true },
);

faultTest(
  "claims-challenge-needs-person",
  "ls --prompt signs in with the claims and continues",
  async (env) => {
    const { code, stdout, stderr } = await env.run("ls", "--prompt", "General");
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^Agenda\.md$/m);
    assertMatch(stderr, /To sign in, use a web browser/);
    const codes = env.requests().filter(({ path }) => path.includes("/devicecode"));
    assertEquals(codes.length, 1);
  },
  { signIn: true },
);
