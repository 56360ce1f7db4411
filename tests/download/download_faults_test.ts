/** `get` when content is late, incomplete or missing (PROTOCOL 5 and 17.2, item 14). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { heicFile, jpegFile, ole2File, pdfFile, wordDocument } from "../upload/documents.ts";
import { type FaultEnv, faultTest } from "../campaign/fault_env.ts";
import { jsonLines, pseudoRandomBytes } from "../test_env.ts";
import type { FaultName } from "../sandbox/mod.ts";

const CONTENT = pseudoRandomBytes(3_000_017, 5);

/** Runs `get` on a file of 3 MB. */
async function get(env: FaultEnv, name = "big.bin", ...args: string[]): ReturnType<FaultEnv["run"]> {
  env.sandbox.tenant.addFile("Documents", `General/${name}`, CONTENT);
  return await env.run("get", "--json", ...args, `General/${name}`);
}

/** Names of the files in the folder, without their random parts. */
function names(env: FaultEnv): string[] {
  return [...Deno.readDirSync(env.folder)].map(({ name }) => name.replace(/^\.[0-9a-f]{8}\./, ".x."))
    .toSorted();
}

/** Asserts that the complete file arrives and nothing else is left; returns the requests. */
async function arrives(env: FaultEnv): Promise<string[]> {
  const { code, stdout, stderr } = await get(env);
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.bytes], ["verified", CONTENT.length]);
  assertEquals(await Deno.readFile(join(env.folder, "big.bin")), CONTENT);
  assertEquals(names(env), ["big.bin"]);
  return env.story();
}

const isRest = (word: string) => /^download bytes=[1-9]\d*-/.test(word);

faultTest("body-cut", "get requests the rest of a broken body with a fresh download URL", async (env) => {
  const [first, ...rest] = await arrives(env);
  assertEquals(first, "download 200");
  assertEquals(rest.filter(isRest).map((word) => word.split(" ").at(-1)), ["206"]);
  const links = env.requests().filter(({ service }) => service === "storage").map(({ path }) => path);
  assertEquals(new Set(links).size, links.length, "an old download URL was reused");
});

faultTest(
  "range-ignored",
  "get writes the content from its first byte again when a range is ignored",
  async (env) => {
    const story = (await arrives(env)).filter((word) => !word.startsWith("look up"));
    assertEquals(story[0], "download 200");
    assertEquals([isRest(story[1]!), story[1]!.endsWith(" 200")], [true, true]);
    assertEquals(story.slice(2), ["download 200"]);
  },
);

faultTest("download-url-refused", "get requests a fresh download URL once", async (env) => {
  assertEquals(await arrives(env), ["download 401", "look up 200", "download 200"]);
});

faultTest("download-url-expired", "get requests the rest with a fresh download URL", async (env) => {
  const story = (await arrives(env)).filter((word) => !word.startsWith("look up"));
  assertEquals(story.map((word) => word.split(" ").at(-1)), ["200", "401", "206"]);
  assertEquals(story.slice(1).every(isRest), true);
});

/** Wrong content never gets the file's name, and never replaces an existing file. */
const REFUSED: [FaultName, string, number, RegExp, string[]][] = [
  [
    "body-too-long",
    "get reports a body that is too long as damaged, and keeps it",
    7,
    /is not what the service states/,
    [".x.damaged"],
  ],
  ["html-instead-of-content", "get reports a page as damaged content", 7, /is not what the service states/, [
    ".x.damaged",
  ]],
  ["redirect-to-html", "get does not follow a redirect to a page", 1, /HTTP 302|"status":302/, []],
  ["content-empty", "get reports an empty body as damaged content", 7, /is not what the service states/, [
    ".x.damaged",
  ]],
];

for (const [name, title, code, message, left] of REFUSED) {
  faultTest(name, `${title} (exit code ${code})`, async (env) => {
    await env.file("big.bin", "mine");
    const ended = await get(env, "big.bin", "--conflict", "replace");
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, message);
    assertEquals(ended.stdout, "");
    assertEquals(names(env), [...left, "big.bin"]);
    assertEquals(await Deno.readTextFile(join(env.folder, "big.bin")), "mine");
  });
}

faultTest(
  "html-instead-of-content",
  "get does not mistake a page for a rewritten Office file",
  async (env) => {
    assertEquals((await get(env, "Plan.docx")).code, 7);
    assertEquals(names(env), [".x.damaged"]);
  },
);

faultTest("body-too-long", "get keeps a HEIC photo that is too long, with a notice", async (env) => {
  const photo = heicFile(200_000);
  env.sandbox.tenant.addFile("Documents", "General/Photo.heic", photo);
  const { code, stdout, stderr } = await env.run("get", "--json", "General/Photo.heic");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.bytes], ["enriched", photo.length]);
  assertMatch(
    stderr,
    /200104 bytes arrived that differ from the 100052 that the service states, as is usual for such files\n/,
  );
  assertEquals(await Deno.readFile(join(env.folder, "Photo.heic")), photo);
  assertEquals(
    env.story().filter((word) => word.startsWith("download")).length,
    2,
    "there was no second download",
  );
});

/** Documents of types that the service is known to change; these faults do not look like such changes. */
const DOCUMENTS: [string, Uint8Array][] = [
  ["Plan.docx", wordDocument(200_000)],
  ["Plan.doc", ole2File(200_000)],
  ["Plan.pdf", pdfFile(200_000)],
  ["Plan.jpg", jpegFile(200_000)],
  ["Plan.heic", heicFile(200_000)],
  ["Plan.html", new TextEncoder().encode(`<html>${"text ".repeat(20_000)}</html>`)],
  ["Plan.one", pseudoRandomBytes(200_000)],
];
for (const fault of ["text-instead-of-content", "half-content"] as const) {
  faultTest(fault, "get reports damaged documents, also on standard output (exit code 7)", async (env) => {
    for (const [name, bytes] of DOCUMENTS) {
      env.sandbox.tenant.addFile("Documents", `General/${name}`, bytes);
      await env.file(name, "mine");
      const { code, stdout, stderr } = await env.run(
        "get",
        "--conflict",
        "replace",
        `General/${name}`,
      );
      assertEquals([code, stdout], [7, ""], `${name}: ${stderr}`);
      assertMatch(stderr, /is not what the service states.*; .*what arrived is kept as \S+\.damaged/);
      assertEquals(await Deno.readTextFile(join(env.folder, name)), "mine");
      const toOutput = await env.run("get", `General/${name}`, "-");
      assertEquals(toOutput.code, 7, `${name}: ${toOutput.stderr}`);
      assertMatch(toOutput.stderr, /what was written to standard output must not be used/);
    }
  });
}

faultTest(
  "content-empty",
  "get to standard output writes nothing and fails on an empty body (exit code 7)",
  async (env) => {
    env.sandbox.tenant.addFile("Documents", "General/big.bin", CONTENT);
    const { code, stdout, stderr } = await env.run("get", "General/big.bin", "-");
    assertEquals([code, stdout], [7, ""]);
    assertMatch(stderr, /must not be used/);
    assert(
      env.story().every((word) => word === "download 200" || word === "look up 200"),
      env.story().join(),
    );
  },
);
