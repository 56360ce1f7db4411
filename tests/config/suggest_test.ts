import { assertEquals } from "../assert.ts";
import { nearest } from "../../lib/suggest.ts";

Deno.test("nearest() finds the one name that a typed one probably means", () => {
  const cases: [typed: string, candidates: string[], expected: string | undefined][] = [
    ["recusive", ["recursive", "replace"], "recursive"],
    ["Maketing", ["Finance", "Marketing"], "Marketing"],
    ["markeitng", ["Marketing"], "Marketing"],
    ["sits", ["sites", "site"], "sites"],
    ["docu", ["Documents", "Form Templates"], "Documents"],
    ["doc", ["Documents", "Documents 2"], "Documents"],
    ["xy", ["abc"], undefined],
    ["", ["abc"], undefined],
    ["abc", [], undefined],
  ];
  for (const [typed, candidates, expected] of cases) {
    assertEquals(nearest(typed, candidates), expected, typed);
  }
});
