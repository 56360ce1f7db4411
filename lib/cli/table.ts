/**
 * Text in columns, by the width that characters take on a terminal.
 *
 * @module
 */

/** A column of a table. */
export interface Column {
  /** Width where there is no terminal, whose rows are printed one by one. @default none */
  width?: number;
  alignRight?: boolean;
  /** Shortened where a row would be wider than the terminal; one column of a table at most. */
  mayShrink?: boolean;
}

const GAP = "  ";
const MIN_SHRUNK_WIDTH = 8;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const graphemes = new Intl.Segmenter("en");

/** Columns that a text takes on a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Rows as aligned lines. The last column is not padded. */
export function tableLines(
  rows: readonly (readonly string[])[],
  columns: readonly Column[],
  terminalWidth?: number,
): string[] {
  const widths = columns.map(({ width = 0 }, index) =>
    terminalWidth === undefined ? width : maxWidth(rows.map((row) => row[index]!))
  );
  const shrinking = columns.findIndex(({ mayShrink }) => mayShrink);
  if (terminalWidth !== undefined && shrinking >= 0) {
    const excess = sum(widths) + GAP.length * (columns.length - 1) - terminalWidth;
    const least = Math.min(widths[shrinking]!, MIN_SHRUNK_WIDTH);
    if (excess > 0) widths[shrinking] = Math.max(widths[shrinking]! - excess, least);
  }
  const cellOf = (text: string, index: number): string => {
    const isShrunk = terminalWidth !== undefined && index === shrinking;
    const shown = isShrunk ? shorten(text, widths[index]!) : text;
    const isLast = index === columns.length - 1;
    return isLast ? shown : pad(shown, widths[index]!, columns[index]!.alignRight);
  };
  return rows.map((row) => row.map(cellOf).join(GAP).trimEnd());
}

/** Texts in as many columns as fit, downwards first. */
export function columnLines(texts: readonly string[], terminalWidth: number): string[] {
  for (let count = Math.min(texts.length, Math.floor(terminalWidth / 3)); count > 1; count--) {
    const height = Math.ceil(texts.length / count);
    const columns = Array.from(
      { length: Math.ceil(texts.length / height) },
      (_, index) => texts.slice(index * height, (index + 1) * height),
    );
    if (sum(columns.map(maxWidth)) + GAP.length * (columns.length - 1) > terminalWidth) continue;
    const rows = Array.from({ length: height }, (_, row) => columns.map((column) => column[row] ?? ""));
    return tableLines(rows, columns.map(() => ({})), terminalWidth);
  }
  return [...texts];
}

function pad(text: string, width: number, alignRight = false): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? space + text : text + space;
}

function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let shown = "";
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(shown + segment) >= width) break;
    shown += segment;
  }
  return `${shown}…`;
}

function maxWidth(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, displayWidth(text)), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
