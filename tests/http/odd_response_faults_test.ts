/** Files that SharePoint rewrites, and answers that no service should give (PROTOCOL 17.2, items 16 and 17). */

import { assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, faultTest, FOUR_FRAGMENTS, type StruckBench } from "../campaign/fault_env.ts";
import { jpegFile, ole2File, pdfFile, wordDocument } from "../upload/documents.ts";
import { jsonLines, pseudoRandomBytes } from "../test_env.ts";

const DOCUMENT = wordDocument(20_000);

/** Uploads a document and asks the service for something afterwards, so that a late rewriting has happened. */
async function uploadDocument(b: StruckBench, script: "put" | "put-large") {
  const file = await b.file("Plan.docx", DOCUMENT);
  const ended = await b.struck(script, "--json", file, "General/");
  assertEquals(ended.code, 0, ended.stderr);
  const uploads = b.story().filter((word) => /^(put|send)/.test(word));
  assertEquals(uploads.length, 1, "sent again");
  const listing = await b.struck("ls", "--json", "General/Plan.docx");
  return { result: jsonLines(ended.stdout)[0]!, item: jsonLines(listing.stdout)[0]!, stderr: ended.stderr };
}

for (const script of ["put", "put-large"] as const) {
  faultTest("sharepoint-rewrite", `${script} calls it enriched, and does not repair it`, async (b) => {
    const { result, item } = await uploadDocument(b, script);
    assertEquals([result.verdict, result.result, result.bytes], ["enriched", "created", DOCUMENT.length]);
    assertEquals((item.size as number) !== DOCUMENT.length, true);
    assertEquals(b.sandbox.tenant.find("Documents", "General/Plan.docx")!.size, item.size);
  });

  faultTest(
    "sharepoint-rewrite-told-late",
    `${script} is content with the answer, and does not repair it`,
    async (b) => {
      const { result, item } = await uploadDocument(b, script);
      assertEquals([result.verdict, result.result], ["verified", "created"]);
      assertEquals((item.size as number) !== DOCUMENT.length, true);
    },
  );
}

faultTest("sharepoint-rewrite-told-late", "the rewritten file is downloaded as it is now", async (b) => {
  const { item } = await uploadDocument(b, "put");
  await Deno.mkdir(`${b.folder}/copy`);
  const { code, stdout, stderr } = await b.struck("get", "--json", "General/Plan.docx", "copy");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.verdict, jsonLines(stdout)[0]!.bytes], ["verified", item.size]);
});

for (const script of ["put", "put-large"] as const) {
  faultTest("sharepoint-rewrite", `${script} says of each type what can be known`, async (b) => {
    const html = new TextEncoder().encode("<html><head></head></html>");
    const documents: [string, Uint8Array, string][] = [
      ["a.jpg", jpegFile(50_000), "enriched"],
      ["a.pdf", pdfFile(50_000), "unverified"],
      ["a.html", html, "unverified"],
      ["a.docx", pseudoRandomBytes(5000), "verified"], // SharePoint cannot open it
    ];
    for (const [name, bytes, verdict] of documents) {
      const { code, stdout, stderr } = await b.struck(
        script,
        "--json",
        await b.file(name, bytes),
        "General/",
      );
      assertEquals([code, jsonLines(stdout)[0]?.verdict], [0, verdict], `${name}: ${stderr}`);
      const stored = b.sandbox.tenant.find("Documents", `General/${name}`)!;
      assertEquals(jsonLines(stdout)[0]!.quickXorHash, stored.quickXorHash);
      assertEquals(
        stderr.includes("nothing can prove that it is the same file"),
        verdict === "unverified",
        stderr,
      );
    }
  });

  faultTest("stored-document-damaged", `${script} reads back what is stored: exit code 7`, async (b) => {
    // Of PDF files and documents of before 2007 nobody can know what SharePoint changed inside.
    for (const [name, bytes] of [["a.docx", DOCUMENT], ["a.jpg", jpegFile(50_000)]] as const) {
      b.sandbox.tenant.addFile("Documents", `General/${name}`, "before");
      const file = await b.file(name, bytes);
      const { code, stdout, stderr } = await b.struck(script, file, "General/");
      assertEquals([code, stdout], [7, ""], `${name}: ${stderr}`);
      assertMatch(stderr, /is not what was sent: .*; .*(inflate|image in it).*sending it once more/);
      assertMatch(stderr, /both copies are kept, and the file that was replaced is in the version history/);
      assertEquals(b.sandbox.tenant.find("Documents", `General/${name}`)!.versions > 1, true);
      const fresh = await b.struck(script, "--conflict", "fail", file, `General/new-${name}`);
      assertEquals(fresh.code, 7, fresh.stderr);
      assertMatch(fresh.stderr, /both copies are kept; compare them/);
    }
  });

  faultTest(
    "stored-first-byte",
    `${script} does not take it for SharePoint's own change: exit code 7`,
    async (b) => {
      const documents = {
        pdf: pdfFile(5_000_000),
        docx: wordDocument(50_000),
        doc: ole2File(50_000),
        bin: pseudoRandomBytes(50_000),
      };
      for (const [extension, bytes] of Object.entries(documents)) {
        const file = await b.file(`a.${extension}`, bytes);
        const { code, stdout, stderr } = await b.struck(script, file, "General/");
        assertEquals([code, stdout], [7, ""], `${extension}: ${stderr}`);
        assertMatch(stderr, /a\.\w+ is not what was sent: 1 bytes/);
      }
    },
  );
}

faultTest("empty-answer", "put finds the file that it has stored", async (b) => {
  const { code, stdout, stderr } = await b.struck("put", "--json", await b.file("a.txt", "a"), "General/");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.result, jsonLines(stdout)[0]!.verdict], ["created", "verified"]);
  assertEquals(b.story(), ["put 201", "look up 200"]);
});

faultTest("empty-answer-to-listing", "ls does not call it an empty folder: exit code 1", async (b) => {
  const { code, stdout, stderr } = await b.struck("ls", "General");
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /the service sent an unexpected response; .*a proxy may have answered/);
});

faultTest("length-required-html", "put tells the status, not the page: exit code 1", async (b) => {
  const { code, stderr } = await b.struck("put", await b.file("a.txt", "a"), "General/");
  assertEquals(code, 1);
  assertMatch(stderr, /HTTP 411 http411/);
  assertEquals(/<|Length Required/.test(stderr), false, "the page was printed");
  assertEquals(b.story(), ["put 411"]);
  assertEquals(b.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
});

faultTest("gateway-timeout", "a listing is tried again", async (b) => {
  const { code, stderr } = await b.struck("ls", "General");
  assertEquals(code, 0, stderr);
  assertEquals(b.story(), ["list 504", "list 200"]);
  assertWaited(b.gapsMs()[0], 1500, 2000);
});

faultTest("gateway-timeout", "a fragment that was stored is not sent again", async (b) => {
  const { code, stderr } = await b.upload(FOUR_FRAGMENTS);
  assertEquals(code, 0, stderr);
  assertEquals(b.story(), ["create 200", "send 0 202", "send 1 504", "ask 200", "send 2 202", "send 3 201"]);
  assertEquals(await b.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
});

faultTest(
  "gateway-timeout",
  "the same bytes under the same name are sent again, for that does no harm",
  async (b) => {
    const { code, stderr } = await b.struck("put", await b.file("a.txt", "a"), "General/");
    assertEquals(code, 0, stderr);
    assertEquals(b.story(), ["put 504", "put 200"]);
  },
);

faultTest(
  "gateway-timeout",
  "under --conflict rename they are not, for that would make two files: exit code 8",
  async (b) => {
    const file = await b.file("a.txt", "a");
    const { code, stderr } = await b.struck("put", "--conflict", "rename", file, "General/");
    assertEquals([code, b.story()], [8, ["put 504"]]);
    assertMatch(stderr, /the service is unavailable.*HTTP 504/);
    const { children } = b.sandbox.tenant.find("Documents", "General")!;
    assertEquals(children.filter((name) => /^a.*\.txt$/.test(name)), ["a.txt"]);
  },
);

faultTest("gateway-timeout", "under --conflict fail put finds the file that it has stored", async (b) => {
  const file = await b.file("a.txt", "a");
  const { code, stdout, stderr } = await b.struck("put", "--json", "--conflict", "fail", file, "General/");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.result, b.story()], ["created", ["put 504", "look up 200"]]);
});
