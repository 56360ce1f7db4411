/**
 * The results of the bench as a picture: a bar for each ratio, and a line at its goal.
 *
 * @module
 */
import { ratioOf } from "./main.ts";
import type { Result } from "./measure.ts";

const [LABEL_WIDTH, BAR_WIDTH, ROW_HEIGHT, TOP] = [430, 420, 26, 56];
const FONT = 'font-family="system-ui, sans-serif" font-size="13"';

/** An SVG picture. @param machine What was measured on; its caption */
export function plot(results: readonly Result[], machine: string): string {
  const rows = results.filter(({ reference }) => !reference.missing);
  const max = Math.max(...rows.map((row) => Math.max(ratioOf(row), row.goal ?? 1)), 1);
  const scale = BAR_WIDTH / max;
  const lines = rows.map((row, index) => {
    const y = TOP + index * ROW_HEIGHT;
    const ratio = ratioOf(row);
    const isMet = row.goal === undefined || ratio <= row.goal;
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${y + 13}" text-anchor="end">${
        escape(`${row.what} ÷ ${row.reference.name}`)
      }</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${(ratio * scale).toFixed(1)}" height="17" fill="${
        isMet ? "#3b7dd8" : "#c8553d"
      }"/>`,
      `<text x="${(LABEL_WIDTH + Math.max(ratio, row.goal ?? 0) * scale + 6).toFixed(1)}" y="${y + 13}">${
        ratio.toFixed(2)
      }</text>`,
      ...(row.goal === undefined ? [] : [goalLine(LABEL_WIDTH + row.goal * scale, y)]),
    ].join("");
  });
  const height = TOP + rows.length * ROW_HEIGHT + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${
    LABEL_WIDTH + BAR_WIDTH + 60
  }" height="${height}" ${FONT}>
<rect width="100%" height="100%" fill="white"/>
<text x="10" y="20" font-weight="bold">Time of the scripts, as a ratio; black lines are goals</text>
<text x="10" y="40">${escape(machine)}</text>
${lines.join("\n")}
</svg>
`;
}

function goalLine(x: number, y: number): string {
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${y - 2}" y2="${
    y + 19
  }" stroke="black" stroke-width="2"/>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
