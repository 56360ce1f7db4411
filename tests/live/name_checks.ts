/**
 * Checks of names: which are rejected, which are changed, which are the same.
 *
 * @module
 */
import { outcome, type Subject, textOf } from "./probe.ts";

/** Names of each kind, without a word that could be somebody's. */
export async function checkNames({ probe, report, isPersonal }: Subject): Promise<void> {
  const put = (name: string, text = name) => probe.put(name, text, "?@microsoft.graph.conflictBehavior=fail");
  /** What became of a name: `kept`, `changed`, or the error. */
  const stored = async (name: string): Promise<string> => {
    const reply = await put(name);
    return reply.status !== 201 ? outcome(reply) : textOf(reply, "name") === name ? "kept" : "changed";
  };
  for (
    const name of [
      "a*b.txt",
      "a?b.txt",
      "a<b.txt",
      "a|b.txt",
      'a"b.txt',
      "~$a.txt",
      "CON",
      "LPT1",
      "a_vti_b.txt",
    ]
  ) {
    report.check("3.3a", `the name ${name}`, "400", String((await put(name)).status));
  }
  report.check("N2", "a colon in a name", "400", String((await put("a:b.txt")).status));
  for (const name of ["a #1.txt", "50%.txt", "it's (a).txt", "a, b & c.txt"]) {
    report.check("3.3a", `the name ${name}`, "kept", await stored(name));
  }
  for (const name of ["a+b.txt", "a;b.txt"]) report.observe("N5", `the name ${name}`, await stored(name));
  report.observe("N7", "a name that ends with a dot", await stored("dot."));
  report.observe("N7", "a name that begins with a space", await stored(" space.txt"));
  report.observe(
    "3.3a",
    `a file name with a leading ~${isPersonal ? "" : ", on business"}`,
    await stored("~a.txt"),
  );
  report.observe("3.3b", "a name of 255 characters", await stored("a".repeat(255)));
  report.observe("3.3b", "a name of 256 characters", await stored("a".repeat(256)));
  const [composed, decomposed] = ["\u00e9.txt", "e\u0301.txt"];
  report.check("3.3d", "a composed name", "kept", await stored(composed));
  report.observe("3.3d", "the same name decomposed", await stored(decomposed));
}
