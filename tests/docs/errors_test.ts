/** Messages quoted in the documentation exist in the code. */

import { assert } from "../assert.ts";
import { AADSTS } from "../../lib/auth/aadsts.ts";
import { join } from "../../lib/std.ts";
import { filesBelow } from "../cli/secret_scan.ts";
import { ROOT } from "../test_env.ts";
import { type DocumentName, section, spans, table } from "./markdown.ts";

const SOURCES = (await filesBelow(join(ROOT, "lib"), join(ROOT, "scripts")))
  .filter(({ from }) => from.endsWith(".ts")).map(({ text }) => text);

const TABLES: readonly [DocumentName, string][] = [
  ["README.md", "Exit codes and errors"],
  ["scripts/README.md", "Errors"],
];

for (const [document, heading] of TABLES) {
  Deno.test(`messages and AADSTS numbers in ${document} exist in the code`, () => {
    const rows = table(section(document, heading), "Message");
    assert(rows.length >= 8);
    for (const [quoted, meaning] of rows) {
      const [text = "(nothing)"] = spans(quoted!);
      assert(SOURCES.some((source) => source.includes(text)), `not in the code: ${text}`);
      const [, number] = /^AADSTS(\d+)/.exec(meaning!) ?? [];
      const why = AADSTS.get(Number(number))?.why ?? "";
      assert(number === undefined || why.includes(text), `AADSTS${number} says: ${why}`);
    }
  });
}
