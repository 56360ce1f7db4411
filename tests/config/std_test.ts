/** The adapters for networks without JSR behave like the packages that `lib/std.ts` loads otherwise. */

import { assert, assertEquals, assertRejects } from "../assert.ts";
import * as adapterOfAssert from "../assert_adapter.ts";
import * as adapterOfCli from "../../lib/compat/parse_args.ts";
import * as adapterOfPath from "../../lib/compat/path.ts";
import * as std from "../../lib/std.ts";
import * as loadedAssert from "../assert.ts";
import { denoRun, ROOT, runProcess } from "../test_env.ts";

const WINDOWS = Deno.build.os === "windows";
const OPTIONS = {
  string: ["site", "port", "jobs", "_"],
  boolean: ["json", "long", "recursive"],
};
const SWITCHES_OFF = { json: false, long: false, recursive: false };

/** Arguments, and the differences from {@linkcode SWITCHES_OFF}. */
const COMMAND_LINES: readonly [string[], Record<string, unknown>][] = [
  [[], { _: [] }],
  [["a", "0123", "1e3", "-"], { _: ["a", "0123", "1e3", "-"] }],
  [["--site", "host/sites/a", "b"], { _: ["b"], site: "host/sites/a" }],
  [["--site=host=x", "--site="], { _: [], site: "" }],
  [["--site", "--json"], { _: [], site: "", json: true }],
  [["--site", "-"], { _: ["-"], site: "" }],
  [["--site", "a", "--site", "b"], { _: [], site: "b" }],
  [["--port", "8400"], { _: [], port: "8400" }],
  [["--json", "a"], { _: ["a"], json: true }],
  [["--json", "false", "a"], { _: ["a"], json: false }],
  [["--json=false"], { _: [], json: false }],
  [["--json=other"], { _: [], json: true }],
  [["--jobs", "4"], { _: [], jobs: "4" }],
  [["a", "--", "--json", "-l", "--"], { _: ["a", "--json", "-l", "--"] }],
  [["--site", "--", "a"], { _: ["a"], site: "" }],
  [["--no-prompt"], { _: [], "no-prompt": true }],
  [["--unknown"], { _: [], unknown: true }],
  [["--unknown", "value"], { _: [], unknown: "value" }],
  [["-x"], { _: [], x: true }],
];

for (const [source, { parseArgs }] of [["adapter", adapterOfCli], ["lib/std.ts", std]] as const) {
  Deno.test(`parseArgs() of ${source} reads switches, values and arguments`, () => {
    for (const [args, expected] of COMMAND_LINES) {
      const parsed = parseArgs([...args], OPTIONS);
      assertEquals({ ...parsed }, { ...SWITCHES_OFF, ...expected }, args.join(" "));
    }
  });
}

for (const [source, path] of [["adapter", adapterOfPath], ["lib/std.ts", std]] as const) {
  Deno.test({
    name: `path functions of ${source} join and split paths`,
    ignore: WINDOWS, // the expectations are POSIX paths
    fn() {
      assertEquals(path.join("a", "..", "b", "./c/"), "b/c/");
      assertEquals(path.join(""), ".");
      assertEquals(path.join("/a", "/b"), "/a/b");
      assertEquals([path.dirname("/a/b/"), path.dirname("a"), path.dirname("/")], ["/a", ".", "/"]);
      assertEquals([path.basename("/a/b.txt"), path.basename("a/"), path.basename("b.txt", ".txt")], [
        "b.txt",
        "a",
        "b",
      ]);
      assertEquals(path.resolve("/a", "b", "../c"), "/a/c");
      assertEquals(path.resolve("x"), `${Deno.cwd()}/x`);
    },
  });
}

for (
  const [source, assertions] of [["adapter", adapterOfAssert], ["tests/assert.ts", loadedAssert]] as const
) {
  Deno.test(`assertions of ${source} fail when they should`, async () => {
    const failing: (() => void)[] = [
      () => (assertions.assert as (value: unknown) => void)(0),
      () => assertions.assertEquals<unknown>({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }),
      () => assertions.assertEquals<unknown>({ a: undefined }, {}),
      () => assertions.assertEquals<unknown>(1, "1"),
      () => assertions.assertMatch("abc", /^b/),
      () => assertions.assertStringIncludes("abc", "d"),
    ];
    for (const fails of failing) {
      const error = await assertRejects(() => new Promise((_, reject) => reject(thrown(fails))));
      assert(error instanceof Error, String(fails));
    }
    const rejected = await assertRejects(() => assertions.assertRejects(() => Promise.resolve()));
    assert(rejected instanceof Error);
    const reason = new TypeError("x");
    assert(await assertions.assertRejects(() => Promise.reject(reason)) === reason);
    assertions.assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
    assertions.assertEquals([NaN, new Map([["a", 1]])], [NaN, new Map([["a", 1]])]);
  });
}

/** Returns the error that a function throws, or undefined. */
function thrown(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

Deno.test("a script without --cached-only starts where JSR refuses connections", async () => {
  const { code, stdout, stderr } = await runProcess(
    [Deno.execPath(), "run", "-q", "-A", `${ROOT}scripts/put-large.ts`, "--version"],
    { env: { JSR_URL: "http://127.0.0.1:9" } },
  );
  assertEquals([code, stderr], [0, ""]);
  assert(stdout.startsWith("put-large "));
});

Deno.test("what runs with --cached-only imports no remote code", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const module = `${folder}/remote.ts`;
    await Deno.writeTextFile(
      module,
      `for (const name of ["npm:left-pad@1.3.0", "https://example.com/x.ts", "jsr:@std/semver@1"]) {
  await import(name).then(() => console.log(name), () => {});
}
console.log("end");`,
    );
    const { stdout } = await runProcess(denoRun("-A", module), {});
    assertEquals(stdout, "end\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
