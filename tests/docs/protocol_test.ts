/** Citations of lib/graph/PROTOCOL.md refer to a rule, and each rule names a source. */

import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";
import { filesBelow } from "../cli/secret_scan.ts";

const PROTOCOL = await Deno.readTextFile(join(ROOT, "lib/graph/PROTOCOL.md"));
const RULES = [...PROTOCOL.matchAll(/^\| ([A-Z]\d+|[\d.]+[a-z]) \| .+ \| (.*) \|$/gm)]
  .map(([, id, source]) => ({ id: id!, source: source! }));

const ID = String.raw`(?:[ADELNU]\d+|\d+(?:\.\d+)?[a-z]?)\b`;
const LIST = `(${ID}(?:(?:, (?:and )?| and | to )${ID})*)`;
const CITATIONS = new RegExp(`\\bPROTOCOL\\b(?!\\.md)(?: ${LIST})?|\\btraps: \\[(.*?)\\]`, "g");

/** The ids in `PROTOCOL 7.2 and U7` and `traps: ["A10", "9.1"]`; "?" for a citation without one. */
function citedIn(code: string): string[] {
  const text = code.replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, " ");
  const lists = [...text.matchAll(CITATIONS)].map(([, rules, data]) => rules ?? data ?? "?");
  return lists.flatMap((list) => list.replaceAll('"', "").split(/, and |, | and | to /));
}

/** Whether a rule with this id, or a section with rules, exists. */
function resolves(cited: string): boolean {
  return RULES.some(({ id }) =>
    id === cited || id.startsWith(`${cited}.`) || id.replace(/[a-z]$/, "") === cited
  );
}

Deno.test("citations of the protocol refer to a rule or section", async () => {
  const files = await filesBelow(...["lib", "scripts", "tests"].map((folder) => join(ROOT, folder)));
  const citations = files.filter(({ from }) => from.endsWith(".ts") && !from.endsWith("protocol_test.ts"))
    .flatMap(({ from, text }) => citedIn(text).map((id) => ({ from, id })));
  assertEquals(citations.filter(({ id }) => !resolves(id)), []);
  assert(citations.length > 100, `only ${citations.length} citations found: has their form changed?`);
});

Deno.test("each rule of the protocol has a unique id and a public source, unless it is assumed", () => {
  const [rules, sources] = PROTOCOL.split("\n## Sources\n");
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
  assertEquals(crossReferences.filter((id) => !resolves(id)), []);
});
