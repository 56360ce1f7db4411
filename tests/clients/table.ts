/** The table of clients and steps. */

import type { Result, Results } from "./rehearse.ts";
import { STEP_NAMES } from "./steps.ts";

const MARKS: Record<Result, string> = { passed: "yes", failed: "**no**", impossible: "–" };

/** As Markdown; what comes after a failed sign-in stays empty. */
export function toMarkdown(rows: readonly { client: string; results: Results }[]): string {
  const cells = [
    ["client", ...STEP_NAMES],
    ["client", ...STEP_NAMES].map(() => "---"),
    ...rows.map(({ client, results }) => [
      client,
      ...STEP_NAMES.map((name) => {
        const result = results[name];
        return result === undefined ? "" : MARKS[result];
      }),
    ]),
  ];
  return cells.map((row) => `| ${row.join(" | ")} |\n`).join("");
}
