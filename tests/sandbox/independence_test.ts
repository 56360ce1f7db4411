import { assertEquals } from "../assert.ts";

const FOLDER = new URL("./", import.meta.url);

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* modules(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield new URL(name, folder);
  }
}

// Shared code would hide mistakes of lib/ from its tests.
Deno.test("the sandbox imports nothing from lib/ or scripts/", async () => {
  const imports: string[] = [];
  for await (const module of modules(FOLDER)) {
    const text = await Deno.readTextFile(module);
    for (const [, from, dynamic] of text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)) {
      const specifier = from ?? dynamic!;
      const { href } = new URL(specifier, module);
      if (!href.startsWith(new URL("../", FOLDER).href)) imports.push(`${module.pathname}: ${specifier}`);
    }
  }
  assertEquals(imports, []);
});
