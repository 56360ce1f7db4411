import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

const download = { service: "storage" as const, path: "download.aspx" };

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("get keeps the old local file when a page, or nothing, arrives in place of content", async () => {
  await using env = await startTestEnv();
  for (const body of ["<html>Sign in</html>", ""]) {
    await env.file("Report.docx", "mine");
    env.sandbox.clearFaults();
    env.sandbox.addFault({
      ...download,
      times: "always",
      status: 200,
      headers: { "content-type": "text/html" },
      body,
    });
    const { code } = await env.run("get", "--conflict", "replace", "General/Report.docx");
    assertEquals(code, 7, body);
    assertEquals(await Deno.readTextFile(join(env.folder, "Report.docx")), "mine");
  }
});

Deno.test("get ends when a proxy drops ranges and connections", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/big.bin", pseudoRandomBytes(1_000_000));
  env.sandbox.addFault({ ...download, times: "always", hideHeaders: ["range"], truncateBodyTo: 100_000 });
  const { code, stderr } = await env.run("get", "General/big.bin");
  assertEquals(code, 8);
  assertMatch(stderr, /start over 3 times/);
});

Deno.test("get downloads the version that is current when it requests the content", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/a.bin", "old");
  env.sandbox.addFault({ ...download, delayMs: 700 });
  const child = env.spawn("get", "General/a.bin");
  await until(() => env.sandbox.requests.some(({ service }) => service === "storage"));
  env.sandbox.tenant.addFile("Documents", "General/a.bin", "newer");
  assertEquals((await child.output()).code, 0);
  assertEquals(await Deno.readTextFile(join(env.folder, "a.bin")), "newer");
});

Deno.test("get requests uncompressed content", async () => {
  await using env = await startTestEnv();
  await env.run("get", "General/Agenda.md");
  assertEquals(
    env.sandbox.requests.find(({ service }) => service === "storage")?.headers["accept-encoding"],
    "identity",
  );
});
