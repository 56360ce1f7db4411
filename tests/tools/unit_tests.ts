/**
 * Prints the test files that need neither a sandbox nor a process: those that `deno task test:unit` runs.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const TESTS = fileURLToPath(new URL("../", import.meta.url));
/** Names that occur in test files that start a sandbox, a server or a process. */
const NOT_UNIT =
  /\b(startTestEnv|startSandbox|runProcess|Deno\.(Command|serve|listen))\b|_env\.ts"(?<!test_env\.ts")/;

/** Paths of the pure unit tests, sorted. */
export async function unitTests(folder: string = TESTS): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}${name}`;
    if (isDirectory) paths.push(...await unitTests(`${path}/`));
    else if (name.endsWith("_test.ts") && !NOT_UNIT.test(await Deno.readTextFile(path))) paths.push(path);
  }
  return paths.toSorted();
}

if (import.meta.main) await Deno.stdout.write(new TextEncoder().encode((await unitTests()).join("\n")));
