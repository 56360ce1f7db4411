import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { CONFIG, ROOT, runProcess, startTestEnv } from "../test_env.ts";

Deno.test("the examples of lib/mod.ts run against the sandbox", async () => {
  await using env = await startTestEnv();
  await env.file("report.pdf", "report");

  const lock = `--lock=${join(ROOT, "tests", "deno.lock")}`;
  // Deno imports the module's exports again, which our compiler options report as unused.
  const options = ["-q", "--cached-only", "--config", CONFIG, lock, "-A", "--no-check", "--doc"];
  const line = [Deno.execPath(), "test", ...options, join(ROOT, "lib", "mod.ts")];
  const { code, stdout, stderr } = await runProcess(line, { cwd: env.folder, env: env.sandbox.env });

  assertEquals(code, 0, stdout + stderr);
  assertEquals(
    new TextDecoder().decode(await env.sandbox.tenant.bytes("Documents", "General/report.pdf")),
    "report",
  );
});
