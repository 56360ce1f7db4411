import { assert, assertEquals } from "../assert.ts";
import { EXIT_CODES } from "../../lib/errors.ts";
import { jsonLines, SCRIPTS, startTestEnv, type TestEnv } from "../test_env.ts";
import { section, spans } from "./markdown.ts";

/** The fields that the manual lists in a section, after "JSON fields …:". */
function listed(heading: string, start: string): string[] {
  const text = section("scripts/README.md", heading).replaceAll(/\s+/g, " ");
  const [, list] = new RegExp(`${start}: ((?:\`\\w+\`(?:, )?)+)`).exec(text) ?? [];
  assert(list, `${heading} lists no fields after "${start}"`);
  return spans(list).toSorted();
}

/** The fields of the first line that a script prints. */
async function printed(env: TestEnv, ...[script, ...args]: Parameters<TestEnv["run"]>): Promise<string[]> {
  const { code, stdout, stderr } = await env.run(script, ...args, "--json");
  assertEquals(code, 0, stderr);
  const fields = Object.keys(jsonLines(stdout)[0]!).toSorted();
  assertEquals(fields.filter((field) => !SCRIPTS[script].fields.includes(field)), [], "for --fields");
  return fields;
}

Deno.test("whoami and ls print the JSON fields of the manual", async () => {
  await using env = await startTestEnv();

  assertEquals(await printed(env, "whoami"), listed("whoami", "JSON fields"));
  assertEquals(await printed(env, "whoami", "--check"), listed("whoami", "JSON fields with `--check`"));
  assertEquals(await printed(env, "whoami", "--accounts"), listed("whoami", "JSON fields with `--accounts`"));
  assertEquals(await printed(env, "ls", "General"), listed("ls", "JSON fields"));
  assertEquals(await printed(env, "ls", "--sites"), listed("ls", "JSON fields with `--sites`"));
  assertEquals(await printed(env, "ls", "--drives"), listed("ls", "JSON fields with `--drives`"));
  assertEquals(await printed(env, "ls", "--teams"), listed("ls", "JSON fields with `--teams`"));
  assertEquals(await printed(env, "whoami", "--sign-out"), listed("whoami", "JSON fields with `--sign-out`"));
});

Deno.test("get, put and put-large print the JSON fields of the manual", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  const fields = listed("Results of transfers", "JSON fields of `get`, `put` and `put-large`");

  assertEquals(await printed(env, "put", file, "General/"), fields);
  assertEquals(await printed(env, "put-large", file, "General/"), fields);
  assertEquals(await printed(env, "get", "General/a.txt", "copy.txt"), fields);
  assertEquals(
    await printed(env, "get", "General/a.txt", "dry.txt", "--dry-run"),
    [...fields, "dryRun"].toSorted(),
  );

  const fault = { service: "storage", method: "PUT", times: "always", status: 503 } as const;
  env.sandbox.addFault({ ...fault, headers: { "retry-after": "900" } });
  const { code } = await env.run("put-large", file, "General/unfinished.txt");
  assertEquals(code, EXIT_CODES.unavailable);
  env.sandbox.clearFaults();
  assertEquals(
    await printed(env, "put-large", "--list"),
    listed("put-large", "JSON fields with `--list`"),
  );
  const [{ id }] = jsonLines((await env.run("put-large", "--list", "--json")).stdout) as [{ id: string }];
  assertEquals(
    await printed(env, "put-large", "--abandon", id),
    listed("put-large", "JSON fields with `--abandon`"),
  );
});
