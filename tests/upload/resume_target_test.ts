import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { sameBytes } from "../download/download_env.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { leaveUnfinished, oldFile, SMALL, UNIT } from "./upload_env.ts";
import { tenantOf } from "../sandbox/conformance/testing.ts";

Deno.test("put-large does not resume into a folder that was renamed", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFolder("Documents", "General/Work");
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(env, "big.bin", content);
  await leaveUnfinished(env, "big.bin", "General/Work/");
  const { id, driveId } = env.sandbox.tenant.find("Documents", "General/Work")!;
  const drive = tenantOf(env.sandbox).drive(driveId);
  const folder = drive.item(id)!;
  drive.update(folder, { name: "Old" }, folder.createdBy);
  env.sandbox.tenant.addFolder("Documents", "General/Work");
  const { code, stderr } = await env.run("put-large", ...SMALL, "big.bin", "General/Work/");
  assertEquals(code, 0, stderr);
  assert(
    env.sandbox.tenant.find("Documents", "General/Work/big.bin"),
    "the file is not at the reported location",
  );
  assertEquals(env.sandbox.tenant.find("Documents", "General/Old/big.bin"), undefined);
});

Deno.test("put-large --list includes uploads of another cloud", async () => {
  await using env = await startTestEnv();
  await oldFile(env, "big.bin", pseudoRandomBytes(4 * UNIT));
  await leaveUnfinished(env, "big.bin", "General/");
  const uploads = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "uploads");
  const names = (await Array.fromAsync(Deno.readDir(uploads))).map(({ name }) => name);
  const name = names.find((name) => name.endsWith(".json"));
  const entry = JSON.parse(await Deno.readTextFile(join(uploads, name!)));
  await Deno.writeTextFile(
    join(uploads, `${"0".repeat(32)}.json`),
    JSON.stringify({ ...entry, path: "Else/where.bin", uploadUrl: "https://elsewhere.example/x" }),
    { mode: 0o600 },
  );
  const { stdout, stderr } = await env.run("put-large", "--list");
  assertMatch(stdout, /General\/big\.bin/, stderr);
  assert(!stderr.includes("elsewhere.example/x"));
});

Deno.test("put-large creates a new file when the target was deleted or renamed before the resume", async () => {
  await using env = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  for (const how of ["deleted", "renamed"]) {
    env.sandbox.tenant.addFile("Documents", "General/big.bin", "first");
    await oldFile(env, "big.bin", content);
    await leaveUnfinished(env, "big.bin", "General/");
    if (how === "deleted") env.sandbox.tenant.remove("Documents", "General/big.bin");
    else {
      const { id, driveId } = env.sandbox.tenant.find("Documents", "General/big.bin")!;
      const item = tenantOf(env.sandbox).drive(driveId).item(id)!;
      item.drive.update(item, { name: "other.bin" }, item.createdBy);
    }
    const { code, stderr } = await env.run("put-large", ...SMALL, "big.bin", "General/");
    assertEquals(code, 0, `${how}: ${stderr}`);
    assert(sameBytes(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content), how);
    if (how === "renamed") {
      assertEquals(
        new TextDecoder().decode(await env.sandbox.tenant.bytes("Documents", "General/other.bin")),
        "first",
      );
    }
  }
});
