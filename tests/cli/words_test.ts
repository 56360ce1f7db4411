import { assert, assertEquals } from "../assert.ts";
import { checkWords, optionWords } from "../../lib/cli/words.ts";
import { GraphError } from "../../lib/errors.ts";

const KNOWN = {
  strings: ["conflict", "sites"],
  switches: ["json", "quiet", "long", "recursive"],
  letters: new Map([["l", "long"], ["R", "recursive"]]),
};

Deno.test("checkWords() writes every option in one form, and leaves arguments", () => {
  const cases: [given: string[], words: string[]][] = [
    [["--json", "true"], ["--json=true", "true"]],
    [["-lR", "x"], ["--long=true", "--recursive=true", "x"]],
    [["--conflict", "fail", "-"], ["--conflict=fail", "-"]],
    [["--conflict=a=b"], ["--conflict=a=b"]],
    [["--conflict", "-"], ["--conflict=-"]],
    [["--conflict", "--json"], ["--conflict=", "--json=true"]],
    [["--sites"], ["--sites="]],
    [["", "-", "a-b", "--", "--json", "-x"], ["", "-", "a-b", "--", "--json", "-x"]],
    [["--conflict", "--", "x"], ["--conflict=", "--", "x"]],
  ];
  for (const [given, words] of cases) assertEquals(checkWords(given, KNOWN, ""), words, given.join(" "));
});

Deno.test("checkWords() refuses what is no option, and values of switches", () => {
  const cases: [word: string, message: string][] = [
    ["--constructor", "unknown option --constructor"],
    ["--constructor=x", "unknown option --constructor"],
    ["--__proto__", "unknown option --__proto__"],
    ["--__proto__.json=x", "unknown option --__proto__.json"],
    ["--toString", "unknown option --toString"],
    ["--no-json", "unknown option --no-json"],
    ["--json.x", "unknown option --json.x"],
    ["--=x", "unknown option --"],
    ["---json", "unknown option ---json"],
    ["-x", "unknown option -x"],
    ["-lx", "unknown option -x"],
    ["-5", "unknown option -5"],
    ["--json=FAIL", "--json takes no value"],
    ["--json=true", "--json takes no value"],
    ["--quiet=", "--quiet takes no value"],
    ["-l=x", "-l takes no value"],
  ];
  for (const [word, message] of cases) {
    const error = failureOf(() => checkWords([word], KNOWN, "see x"));
    assert(error instanceof GraphError, `${word} is taken`);
    assertEquals([error.message, error.exitCode, error.hint], [message, 2, "see x"]);
  }
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

Deno.test("optionWords() ends at --", () => {
  assertEquals(optionWords(["a", "--json", "--", "--quiet"]), ["a", "--json"]);
  assertEquals(optionWords(["a"]), ["a"]);
});
