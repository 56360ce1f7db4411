/** Citations of lib/graph/PROTOCOL.md refer to a rule, and each rule names a source. */

import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";
import { citedIn, NOTES, RULES, rulesOf } from "./protocol.ts";
import { filesBelow } from "../cli/secret_scan.ts";

Deno.test("citations of the protocol refer to a rule or section", async () => {
  const files = await filesBelow(...["lib", "scripts", "tests"].map((folder) => join(ROOT, folder)));
  const citations = files.filter(({ from }) =>
    from.endsWith(".ts") && !/docs\/protocol(?:_test)?\.ts$/.test(from)
  )
    .flatMap(({ from, text }) => citedIn(text).map((id) => ({ from, id })));
  assertEquals(citations.filter(({ id }) => rulesOf(id).length === 0), []);
  assert(citations.length > 100, `only ${citations.length} citations found: has their form changed?`);
});

Deno.test("each rule of the protocol has a unique id and a public source, unless it is assumed", () => {
  const [rules, sources] = NOTES.split("\n## Sources\n");
  assertEquals(RULES.map(({ id }) => id), [...new Set(RULES.map(({ id }) => id))]);
  const place = /\[[A-Z][A-Z0-9]+\]|[\w.-]+\/[\w.-]+(?:#\d+|:\S)|RFC \d+|\w\.(?:com|org)\b/;
  for (const { id, source } of RULES) {
    for (const part of source.split("; ")) {
      const known = /^(?:documented|observed|recorded) /.test(part) && place.test(part);
      assert(known || /^assumed \(.+\)$/.test(part), `${id}: ${part}`);
    }
  }
  const names = (text: string) =>
    new Set([...text.matchAll(/\[([A-Z][A-Z0-9]+)\]/g)].map(([, name]) => name!));
  assertEquals(names(rules!), names(sources!));
  const crossReferences = rules!.match(/\b[ADELNU]\d+\b/g)!;
  assertEquals(crossReferences.filter((id) => rulesOf(id).length === 0), []);
});
