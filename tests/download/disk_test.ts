import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  arrived,
  asked,
  bytesOf,
  contentOf,
  envWith,
  journal,
  names,
  recorded,
  until,
} from "./download_env.ts";
import { throughLine } from "../lined_env.ts";
import { jsonLines } from "../test_env.ts";

const MIB = 1024 * 1024;
const content = contentOf(6);
const SIZE = content.length;

/** A separate file system of variable size, where mounting is allowed. */
async function mounted(
  folder: string,
  options: string,
): Promise<AsyncDisposable & { remount(options: string): Promise<void> } | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  const mount = async (...args: string[]) => (await new Deno.Command("mount", { args }).output()).success;
  await Deno.mkdir(folder, { recursive: true });
  if (!await mount("-t", "tmpfs", "-o", options, "tmpfs", folder)) return undefined;
  return {
    remount: async (options) => assert(await mount("-o", `remount,${options}`, folder)),
    async [Symbol.asyncDispose]() {
      assert((await new Deno.Command("umount", { args: [folder] }).output()).success);
    },
  };
}

Deno.test("get reports a full disk, keeps the received bytes, and resumes when there is space", async () => {
  for (const connections of ["1", "4"]) {
    await using env = await envWith(content);
    const folder = join(env.folder, "disk");
    await using disk = await mounted(folder, "size=3m");
    if (!disk) return;
    const args = ["--connections", connections, "General/big.bin", folder];
    const { code, stderr } = await env.runProcess("get", ...args);
    assertEquals(code, 9, stderr);
    const there = bytesOf(await recorded(env));
    assert(there > 0);
    assertMatch(
      stderr,
      new RegExp(`no space left.*; ${there} of ${SIZE} bytes .* are there; free space, then`),
    );
    assertEquals(names(folder).map((name) => name.slice(-8)), [".partial"]);
    await disk.remount("size=20m");
    const again = await env.runProcess("get", "--json", ...args);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(jsonLines(again.stdout)[0]!.resumedFrom, there);
    assertEquals(await Deno.readFile(join(folder, "big.bin")), content);
    assertEquals([names(folder), journal(env)], [["big.bin"], []]);
  }
});

Deno.test("get keeps the previous journal entry when the disk has no space for the next", async () => {
  await using env = await envWith(content);
  const home = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
  const token = env.sandbox.issueToken();
  const folder = join(env.folder, "disk");
  await using disk = await mounted(folder, "size=3m");
  if (!disk) return;
  const variables = { GRAPH_SCRIPTS_HOME: join(folder, "home"), GRAPH_ACCESS_TOKEN: token };
  await using _line = throughLine(env, { connectionBytesPerSecond: 4 * MIB });
  const args = ["get", "--json", "General/big.bin", join(folder, "x.bin")] as const;
  const { code, stderr } = await env.runProcessWith({ env: variables }, ...args);
  assertEquals(code, 9, stderr);
  assertMatch(stderr, /[1-9]\d* of \d+ bytes/);
  await disk.remount("size=20m");
  const again = await env.runProcessWith({ env: variables }, ...args);
  assertEquals(again.code, 0, again.stderr);
  assert(jsonLines(again.stdout)[0]!.resumedFrom as number > 0);
  assertEquals(await Deno.readFile(join(folder, "x.bin")), content);
  assertEquals(names(join(folder, "home", "downloads")), []);
  assert(home !== variables.GRAPH_SCRIPTS_HOME);
});

Deno.test("get reports a read-only folder and leaves neither file nor journal entry", async () => {
  await using env = await envWith(content);
  const folder = join(env.folder, "disk");
  await using disk = await mounted(folder, "size=1m,ro");
  if (disk) {
    const { code, stderr } = await env.run("get", "General/big.bin", folder);
    assertEquals(code, 5, stderr);
    assertMatch(stderr, /read-only/);
  } else if (Deno.build.os !== "windows" && Deno.uid() !== 0) {
    await Deno.mkdir(folder, { mode: 0o500 });
    assertEquals((await env.run("get", "General/big.bin", folder)).code, 5);
  }
  assertEquals(journal(env), []);
});

Deno.test("get does not replace a file that appears during the download, and --conflict replace then transfers nothing", async () => {
  await using env = await envWith(content);
  await using _line = throughLine(env, { connectionBytesPerSecond: 4 * MIB });
  const child = env.spawn("get", "General/big.bin");
  await until(async () => bytesOf(await recorded(env)) > 0);
  await env.file("big.bin", "theirs");
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(
    new TextDecoder().decode(stderr),
    /big\.bin already exists; 6291473 of 6291473 bytes \(100 %\) are there; use --conflict replace/,
  );
  assertEquals(await Deno.readTextFile(join(env.folder, "big.bin")), "theirs");
  assertEquals((await env.run("get", "General/big.bin")).code, 6);
  const before = env.sandbox.requests.length;
  const again = await env.run("get", "--json", "--conflict", "replace", "General/big.bin");
  assertEquals([again.code, jsonLines(again.stdout)[0]!.resumedFrom], [0, SIZE], again.stderr);
  assertEquals(asked(env, before), []);
  await arrived(env, content);
});
