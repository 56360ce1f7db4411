/**
 * Text in columns, by the width that characters take on a terminal.
 *
 * @module
 */
import { replaceControlCharacters } from "./output.ts";

/** A column of a table. */
export interface Column {
  /** Width where there is no terminal, and rows are printed one by one. @default 0 */
  width?: number;
  alignRight?: boolean;
  /** Shortened where rows would be wider than the terminal; one column of a table at most. */
  mayShrink?: boolean;
}

const GAP = 2;
const MIN_SHRUNK_WIDTH = 8;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

/** Columns that a text takes on a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return sum(graphemesOf(text).map((grapheme) => WIDE.test(grapheme) ? 2 : 1));
}

let segmenter: Intl.Segmenter | undefined;

/** What readers see as characters; the segmenter takes milliseconds to start. */
function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en");
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Rows as aligned lines; the last column is not padded. Without a terminal the width of each column is its own. */
export function tableLines(
  texts: readonly (readonly string[])[],
  columns: readonly Column[],
  terminalWidth?: number,
): string[] {
  const rows = texts.map((row) => row.map(replaceControlCharacters));
  const widths = columns.map(({ width = 0 }, index) =>
    terminalWidth === undefined ? width : maxWidth(rows.map((row) => row[index]!))
  );
  const excess = totalWidth(widths) - (terminalWidth ?? Infinity);
  const limits = columns.map(({ mayShrink }, index) =>
    mayShrink && excess > 0 ? Math.max(widths[index]! - excess, MIN_SHRUNK_WIDTH) : Infinity
  );
  return rows.map((row) =>
    row.map((text, index) => {
      const shown = shorten(text, limits[index]!);
      const space = " ".repeat(Math.max(0, Math.min(widths[index]!, limits[index]!) - displayWidth(shown)));
      return columns[index]!.alignRight ? space + shown : shown + space;
    }).join(" ".repeat(GAP)).trimEnd()
  );
}

/** Texts in as many columns as fit, downwards first. */
export function columnLines(texts: readonly string[], terminalWidth: number): string[] {
  const shown = texts.map(replaceControlCharacters);
  const maxCount = Math.floor((terminalWidth + GAP) / (GAP + 1));
  for (let count = Math.min(texts.length, maxCount); count > 1; count--) {
    const height = Math.ceil(texts.length / count);
    const columns = Array.from(
      { length: count },
      (_, index) => shown.slice(index * height, (index + 1) * height),
    );
    if (totalWidth(columns.map(maxWidth)) > terminalWidth) continue;
    const rows = Array.from({ length: height }, (_, row) => columns.map((column) => column[row] ?? ""));
    return tableLines(rows, columns.map(() => ({})), terminalWidth);
  }
  return shown;
}

function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const kept = graphemesOf(text);
  while (displayWidth(kept.join("")) >= width) kept.pop();
  return `${kept.join("")}…`;
}

function maxWidth(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, displayWidth(text)), 0);
}

function totalWidth(widths: readonly number[]): number {
  return sum(widths) + GAP * (widths.length - 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
