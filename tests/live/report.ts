/**
 * What a run of `deno task live` found: the differences between the service and the protocol notes, without names,
 * ids, addresses or secrets, so that it can be attached to a bug report.
 *
 * @module
 */

/** Something that the service did otherwise than the notes say. */
export interface Difference {
  /** Id of a rule in lib/graph/PROTOCOL.md. */
  readonly rule: string;
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
}

/** What the run was made against. */
export interface Surroundings {
  readonly cloud: string;
  /** `personal`, `business` or `documentLibrary`. */
  readonly driveType: string;
  readonly version: string;
  /** The day, as `2026-01-31`. */
  readonly date: string;
}

export class Report {
  /** Rules that were checked, in order. */
  readonly checked: string[] = [];
  readonly differences: Difference[] = [];
  /** What the service does where the notes say nothing, or "not verified". */
  readonly observations: { readonly rule: string; readonly what: string; readonly seen: string }[] = [];

  /** Compares what was seen with what the notes say; several texts are all right if one of them is seen. */
  check(rule: string, what: string, expected: string | readonly string[], seen: string): void {
    const accepted = [expected].flat();
    this.checked.push(rule);
    if (accepted.includes(seen)) return;
    this.differences.push({ rule, what, expected: accepted.join(" or "), seen });
  }

  observe(rule: string, what: string, seen: string): void {
    this.observations.push({ rule, what, seen });
  }

  /** The report as Markdown. */
  toText({ cloud, driveType, version, date }: Surroundings): string {
    const count = this.differences.length;
    const found = count === 0 ? "no difference" : count === 1 ? "1 difference" : `${count} differences`;
    const parts = [
      `graph-scripts ${version}, ${date}, cloud ${cloud}, drive of type ${driveType}: ` +
      `${this.checked.length} checks, ${found} from lib/graph/PROTOCOL.md`,
    ];
    const rows = this.differences.map(({ rule, what, expected, seen }) => [rule, what, expected, seen]);
    if (count > 0) parts.push(markdownTable(["rule", "what", "expected", "seen"], rows));
    const notes = this.observations.map(({ rule, what, seen }) => [rule, what, seen]);
    parts.push("What the notes leave open:", markdownTable(["rule", "what", "seen"], notes));
    return `${parts.join("\n\n")}\n`;
  }
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A word of the service, such as an error code; anything else might be a name. */
export function safeWord(value: unknown): string {
  return typeof value === "string" && /^[A-Za-z]{1,40}$/.test(value) ? value : "(another text)";
}

/** The names of the properties of a response, in alphabetical order. */
export function fieldsOf(json: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(json).filter((name) => /^[@.\w]{1,60}$/.test(name));
  return names.sort().join(", ") || "none";
}

/** The name of the first form that fits a text; the text itself may be secret. */
export function formOf(text: unknown, forms: Readonly<Record<string, RegExp>>): string {
  const form = Object.entries(forms).find(([, pattern]) => typeof text === "string" && pattern.test(text));
  return form?.[0] ?? (text === undefined ? "missing" : "another form");
}
