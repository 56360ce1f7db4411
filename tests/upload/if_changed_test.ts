import { assertEquals } from "../assert.ts";
import { jsonLines, startTestEnv } from "../test_env.ts";
import { wordDocument } from "./documents.ts";
import { oldFile } from "./upload_env.ts";

Deno.test("put --if-changed does not mistake a user's change for rewriting by the service", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.behavior.rewriteOfficeFiles = "after-response";
  await oldFile(env, "one.docx", wordDocument(2000));
  await oldFile(env, "two.docx", wordDocument(3000));
  env.sandbox.addFault({
    method: "PUT",
    service: "storage",
    nth: 2,
    rewrite: (response) => {
      env.sandbox.tenant.addFile("Documents", "General/one.docx", "somebody else's");
      return response;
    },
  });
  const { code, stderr } = await env.run(
    "put",
    "--jobs",
    "1",
    "--if-changed",
    "one.docx",
    "two.docx",
    "General/",
  );
  assertEquals(code, 0, stderr);
  const again = await env.run("put", "--json", "--if-changed", "one.docx", "two.docx", "General/");
  assertEquals(jsonLines(again.stdout).map(({ path, result }) => [path, result]).toSorted(), [
    ["General/one.docx", "replaced"],
    ["General/two.docx", "unchanged"],
  ]);
});

Deno.test("put --if-changed succeeds when the read-back of a sent file fails", async () => {
  await using env = await startTestEnv();
  await oldFile(env, "one.docx", wordDocument(2000));
  env.sandbox.addFault({ method: "GET", path: /\/items\/[^/:]+$/, times: "always", status: 404 });
  const { code, stderr } = await env.run("put", "--if-changed", "one.docx", "General/");
  assertEquals(code, 0, stderr);
});
