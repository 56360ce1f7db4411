import { assert, assertEquals } from "../assert.ts";
import { dirname, join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";
import { DOCUMENTS, withTables } from "../tools/doc_tables.ts";
import { anchor, type DocumentName, headings, links, TEXTS } from "./markdown.ts";

Deno.test("README.md has at most 300 lines", () => {
  const lines = TEXTS["README.md"].trimEnd().split("\n").length;
  assert(lines <= 300, `${lines} lines`);
});

for (const name of DOCUMENTS) {
  Deno.test(`the tables of ${name} match the output of "deno task docs"`, () => {
    assertEquals(TEXTS[name], withTables(TEXTS[name]));
  });

  Deno.test(`the links of ${name} refer to existing files and headings`, async () => {
    for (const link of links(name)) {
      const [path, fragment] = link.split("#") as [string, string | undefined];
      const target = path === "" ? name : join(dirname(name), path);
      await Deno.stat(join(ROOT, target)).catch(() => assert(false, `${link}: no such file`));
      if (fragment === undefined) continue;
      const found = headings(target as DocumentName).map(anchor).includes(fragment);
      assert(found, `${link}: no such heading`);
    }
  });
}
