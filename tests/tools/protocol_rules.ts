/**
 * Prints each rule of lib/graph/PROTOCOL.md with the tests that cite it, and the checks of `deno task live`.
 *
 *     deno run -A tests/tools/protocol_rules.ts [--untested]
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { filesBelow } from "../cli/secret_scan.ts";
import { citedIn, NOTES, RULES, rulesOf } from "../docs/protocol.ts";
import { ROOT } from "../test_env.ts";

if (import.meta.main) {
  const tests = testsOfRules(await filesBelow(join(ROOT, "tests")));
  const untested = RULES.filter(({ id }) => !tests.has(id));
  const shown = Deno.args.includes("--untested") ? untested : RULES;
  const lines = shown.map(({ id }) => [id, ...tests.get(id) ?? []].join("\n    "));
  const named = RULES.filter(({ id }) =>
    [...tests.get(id) ?? []].some((place) => !place.endsWith("_test.ts"))
  );
  const ofSection = RULES.length - named.length - untested.length;
  lines.push(
    `${RULES.length} rules: ${named.length} by name, ${ofSection} in the tests of a section, ${untested.length} without`,
  );
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
}

/** The places that cite each rule: tests by name, whole files of tests by path, and live checks. */
export function testsOfRules(
  files: readonly { from: string; text: string }[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  const add = (cited: string, place: string) => {
    for (const { id } of rulesOf(cited)) places.set(id, (places.get(id) ?? new Set()).add(place));
  };
  for (const { from, text } of files) {
    const path = from.slice(from.lastIndexOf("tests/"));
    if (/tests\/live\/\w+_checks\.ts$/.test(from)) {
      for (const [, id] of text.matchAll(/\.check\(\s*"([\w.]+)"/g)) add(id!, path);
    }
    if (!from.endsWith("_test.ts")) continue;
    const [head = "", ...tests] = text.split(/^(?=Deno\.test\()/m);
    for (const cited of [...citedIn(head), ...rulesOfFaults(head)]) add(cited, path);
    for (const test of tests) {
      const [, name = ""] = /^Deno\.test\(\s*["`](.*?)["`],/s.exec(test) ?? [];
      const [, ids = ""] = / \(([A-Z]\d+(?:, [A-Z]\d+)*)\)$/.exec(name) ?? [];
      for (const cited of [...citedIn(test), ...ids.split(", ")]) add(cited, `${path}: ${name}`);
    }
  }
  return places;
}

/** The rules behind the faults that the head of a file names: `17.2, items 2 to 11`. */
function rulesOfFaults(head: string): string[] {
  const [, first, , last = first] = /17\.2, items? (\d+)( (?:to|and) (\d+))?/.exec(head) ?? [];
  return [...NOTES.split("### 17.2 ")[1]!.matchAll(/^\| (\d+) \| .+ \| (.+) \|$/gm)]
    .filter(([, item]) => Number(item) >= Number(first) && Number(item) <= Number(last))
    .flatMap(([, , rules]) => rules!.split(", "));
}
