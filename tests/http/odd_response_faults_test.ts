/** Files that SharePoint rewrites, and invalid responses (PROTOCOL 17.2, items 16 and 17). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { type FaultEnv, faultTest, FOUR_FRAGMENTS } from "../campaign/fault_env.ts";
import { jpegFile, ole2File, pdfFile, wordDocument } from "../upload/documents.ts";
import { fastClock, jsonLines, pseudoRandomBytes } from "../test_env.ts";

const DOCUMENT = wordDocument(20_000);

/** Uploads a document and makes another request, after which a late rewriting has happened. */
async function uploadDocument(env: FaultEnv, script: "put" | "put-large") {
  const file = await env.file("Plan.docx", DOCUMENT);
  const ended = await env.run(script, "--json", file, "General/");
  assertEquals(ended.code, 0, ended.stderr);
  const uploads = env.story().filter((word) => /^(put|send)/.test(word));
  assertEquals(uploads.length, 1, "the document was uploaded twice");
  const listing = await env.run("ls", "--json", "General/Plan.docx");
  return { result: jsonLines(ended.stdout)[0]!, item: jsonLines(listing.stdout)[0]!, stderr: ended.stderr };
}

for (const script of ["put", "put-large"] as const) {
  faultTest(
    "sharepoint-rewrite",
    `${script} reports a rewritten file as enriched and does not upload it again`,
    async (env) => {
      const { result, item } = await uploadDocument(env, script);
      assertEquals([result.verdict, result.result, result.bytes], ["enriched", "created", DOCUMENT.length]);
      assertEquals((item.size as number) !== DOCUMENT.length, true);
      assertEquals(env.sandbox.tenant.find("Documents", "General/Plan.docx")!.size, item.size);
    },
  );

  faultTest(
    "sharepoint-rewrite-told-late",
    `${script} accepts the response and does not upload the file again`,
    async (env) => {
      const { result, item } = await uploadDocument(env, script);
      assertEquals([result.verdict, result.result], ["verified", "created"]);
      assertEquals((item.size as number) !== DOCUMENT.length, true);
    },
  );
}

faultTest("sharepoint-rewrite-told-late", "get downloads the rewritten file", async (env) => {
  const { item } = await uploadDocument(env, "put");
  await Deno.mkdir(`${env.folder}/copy`);
  const { code, stdout, stderr } = await env.run("get", "--json", "General/Plan.docx", "copy");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.bytes], ["verified", item.size]);
});

for (const script of ["put", "put-large"] as const) {
  faultTest("sharepoint-rewrite", `${script} reports the verdict of each file type`, async (env) => {
    const html = new TextEncoder().encode("<html><head></head></html>");
    const documents: [string, Uint8Array, string][] = [
      ["a.jpg", jpegFile(50_000), "enriched"],
      ["a.pdf", pdfFile(50_000), "unverified"],
      ["a.html", html, "unverified"],
      ["a.docx", pseudoRandomBytes(5000), "verified"], // SharePoint cannot open it
    ];
    for (const [name, bytes, verdict] of documents) {
      const { code, stdout, stderr } = await env.run(
        script,
        "--json",
        await env.file(name, bytes),
        "General/",
      );
      assertEquals([code, jsonLines(stdout)[0]?.verdict], [0, verdict], `${name}: ${stderr}`);
      const stored = env.sandbox.tenant.find("Documents", `General/${name}`)!;
      assertEquals(jsonLines(stdout)[0]!.quickXorHash, stored.quickXorHash);
      assertEquals(
        stderr.includes("nothing can prove that it is the same file"),
        verdict === "unverified",
        stderr,
      );
    }
  });

  faultTest(
    "stored-document-damaged",
    `${script} reads the stored file back and reports damage (exit code 7)`,
    async (env) => {
      // Changes by SharePoint inside PDF files and documents from before 2007 cannot be proven.
      for (const [name, bytes] of [["a.docx", DOCUMENT], ["a.jpg", jpegFile(50_000)]] as const) {
        env.sandbox.tenant.addFile("Documents", `General/${name}`, "before");
        const file = await env.file(name, bytes);
        const { code, stdout, stderr } = await env.run(script, file, "General/");
        assertEquals([code, stdout], [7, ""], `${name}: ${stderr}`);
        assertMatch(
          stderr,
          /is not what was sent: .*; .*(does not match its size|image).*both copies are kept/,
        );
        assertEquals(env.sandbox.tenant.find("Documents", `General/${name}`)!.versions > 1, true);
        const fresh = await env.run(script, "--conflict", "fail", file, `General/new-${name}`);
        assertEquals(fresh.code, 7, fresh.stderr);
        assertMatch(fresh.stderr, /both copies are kept; compare them/);
      }
    },
  );

  faultTest(
    "stored-first-byte",
    `${script} does not mistake a changed byte for SharePoint's rewriting (exit code 7)`,
    async (env) => {
      const documents = {
        pdf: pdfFile(5_000_000),
        docx: wordDocument(50_000),
        doc: ole2File(50_000),
        bin: pseudoRandomBytes(50_000),
      };
      for (const [extension, bytes] of Object.entries(documents)) {
        const file = await env.file(`a.${extension}`, bytes);
        const { code, stdout, stderr } = await env.run(script, file, "General/");
        assertEquals([code, stdout], [7, ""], `${extension}: ${stderr}`);
        assertMatch(stderr, /a\.\w+ is not what was sent: 1 bytes/);
      }
    },
  );
}

faultTest("empty-answer", "put finds the stored file after an empty response", async (env) => {
  const { code, stdout, stderr } = await env.run(
    "put",
    "--json",
    await env.file("a.txt", "a"),
    "General/",
  );
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.result, jsonLines(stdout)[0]!.verdict], ["created", "verified"]);
  assertEquals(env.story(), ["put 201", "look up 200"]);
});

faultTest("empty-answer-to-listing", "ls does not report an empty folder (exit code 1)", async (env) => {
  const { code, stdout, stderr } = await env.run("ls", "General");
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /the service sent an unexpected response; .*a proxy may have responded/);
}, { http: fastClock() });

faultTest("length-required-html", "put reports the status and not the page (exit code 1)", async (env) => {
  const { code, stderr } = await env.run("put", await env.file("a.txt", "a"), "General/");
  assertEquals(code, 1);
  assertMatch(stderr, /HTTP 411 http411/);
  assertEquals(/<|Length Required/.test(stderr), false, "the page was printed");
  assertEquals(env.story(), ["put 411"]);
  assertEquals(env.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
});

const clock = fastClock();
faultTest("gateway-timeout", "ls retries a listing", async (env) => {
  const { code, stderr } = await env.run("ls", "General");
  assertEquals(code, 0, stderr);
  assertEquals(env.story(), ["list 504", "list 200"]);
  const [waitMs, ...more] = clock.waits;
  assert(waitMs !== undefined && waitMs >= 500 && waitMs <= 1000, `waits ${clock.waits} ms`);
  assertEquals(more, []);
}, { http: clock });

faultTest("gateway-timeout", "put-large does not resend a stored fragment", async (env) => {
  const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
  assertEquals(code, 0, stderr);
  assertEquals(env.story(), [
    "create 200",
    "send 0 202",
    "send 1 504",
    "ask 200",
    "send 2 202",
    "send 3 201",
  ]);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
}, { http: fastClock() });

faultTest(
  "gateway-timeout",
  "put sends the same bytes under the same name again",
  async (env) => {
    const { code, stderr } = await env.run("put", await env.file("a.txt", "a"), "General/");
    assertEquals(code, 0, stderr);
    assertEquals(env.story(), ["put 504", "put 200"]);
  },
  { http: fastClock() },
);

faultTest(
  "gateway-timeout",
  "put --conflict rename does not retry, which could create a second file (exit code 8)",
  async (env) => {
    const file = await env.file("a.txt", "a");
    const { code, stderr } = await env.run("put", "--conflict", "rename", file, "General/");
    assertEquals([code, env.story()], [8, ["put 504"]]);
    assertMatch(stderr, /the service is unavailable.*HTTP 504/);
    const { children } = env.sandbox.tenant.find("Documents", "General")!;
    assertEquals(children.filter((name) => /^a.*\.txt$/.test(name)), ["a.txt"]);
  },
);

faultTest("gateway-timeout", "put --conflict fail finds the stored file", async (env) => {
  const file = await env.file("a.txt", "a");
  const { code, stdout, stderr } = await env.run("put", "--json", "--conflict", "fail", file, "General/");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.result, env.story()], ["created", ["put 504", "look up 200"]]);
}, { http: fastClock() });
