import { assertEquals } from "../../assert.ts";

const FOLDER = new URL("../", import.meta.url);
/** No part of the package. */
const TESTS = new URL("./", import.meta.url);

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* modules(url);
    else if (name.endsWith(".ts")) yield url;
  }
}

// Shared code would hide mistakes of lib/ from its tests, and another project has only these modules.
Deno.test("the sandbox imports nothing but its own modules and those of the platform", async () => {
  const foreign: string[] = [];
  for await (const module of modules(FOLDER)) {
    if (module.href.startsWith(TESTS.href)) continue;
    const text = await Deno.readTextFile(module);
    for (const [, from, dynamic] of text.matchAll(/\bfrom "([^"]+)";|\bimport\("([^"]+)"\)/g)) {
      const specifier = from ?? dynamic!;
      const isOwn = new URL(specifier, module).href.startsWith(FOLDER.href);
      if (!isOwn && !specifier.startsWith("node:")) foreign.push(`${module.pathname}: ${specifier}`);
    }
  }
  assertEquals(foreign, []);
});
