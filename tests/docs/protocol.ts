/** The rules of lib/graph/PROTOCOL.md, and what cites them. */

import { join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";

/** A rule, with how it is known. */
export interface Rule {
  readonly id: string;
  readonly source: string;
}

export const NOTES = await Deno.readTextFile(join(ROOT, "lib/graph/PROTOCOL.md"));
export const RULES: readonly Rule[] = [
  ...NOTES.matchAll(/^\| ([A-Z]\d+|[\d.]+[a-z]) \| .+ \| (.*) \|$/gm),
].map(([, id, source]) => ({ id: id!, source: source! }));

const ID = String.raw`(?:[ADELNU]\d+|\d+(?:\.\d+)?[a-z]?)\b`;
const LIST = `(${ID}(?:(?:, (?:and )?| and | to )${ID})*)`;
const CITATIONS = new RegExp(`\\bPROTOCOL\\b(?!\\.md)(?: ${LIST})?|\\btraps: \\[(.*?)\\]`, "g");

/** The ids in `PROTOCOL 7.2 and U7` and `traps: ["A10", "9.1"]`; "?" for a citation without one. */
export function citedIn(code: string): string[] {
  const text = code.replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, " ");
  const lists = [...text.matchAll(CITATIONS)].map(([, rules, data]) => rules ?? data ?? "?");
  return lists.flatMap((list) => list.replaceAll('"', "").split(/, and |, | and | to /));
}

/** The rules of a citation: the rule itself, or those of a section. */
export function rulesOf(cited: string): Rule[] {
  return RULES.filter(({ id }) =>
    id === cited || id.startsWith(`${cited}.`) || id.replace(/[a-z]$/, "") === cited
  );
}
