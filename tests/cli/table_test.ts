import { assertEquals } from "../assert.ts";
import { columnLines, displayWidth, tableLines } from "../../lib/cli/table.ts";

Deno.test("displayWidth() counts two columns for wide characters and emoji, none for combining marks", () => {
  const cases: [text: string, width: number][] = [
    ["", 0],
    ["Report.docx", 11],
    ["Größe", 5],
    ["e\u0301", 1],
    ["שלום", 4],
    ["世界", 4],
    ["ｱｲ", 2], // half-width
    ["ＡＢ", 4], // full-width
    ["한글", 4],
    ["👩\u200d💻", 2],
    ["🇩🇪", 2],
    ["❤\ufe0f", 2],
    ["😀.txt", 6],
    ["…", 1],
  ];
  for (const [text, width] of cases) assertEquals(displayWidth(text), width, text);
});

Deno.test("tableLines() aligns by display width, and escapes control characters", () => {
  const rows = [["世界", "1", "a"], ["b\n", "1000", "c"], ["", "", "e"]];

  assertEquals(tableLines(rows, [{}, { alignRight: true }, {}], 80), [
    "世界     1  a",
    "b\\n   1000  c",
    "            e",
  ]);
});

Deno.test("tableLines() shortens one column to fit the terminal, and never below eight columns", () => {
  const columns = [{}, { mayShrink: true }, {}];
  const rows = [["file", "Adele 世界世界世界", "name"], ["file", "Bo", "name"]];

  assertEquals(tableLines(rows, columns, 30), [
    "file  Adele 世界世界世界  name",
    "file  Bo                  name",
  ]);
  assertEquals(tableLines(rows, columns, 25), ["file  Adele 世界世…  name", "file  Bo             name"]);
  assertEquals(tableLines(rows, columns, 10), ["file  Adele …   name", "file  Bo        name"]);
});

Deno.test("tableLines() without a terminal uses the widths of the columns, and shortens nothing", () => {
  const columns = [{ width: 4 }, { width: 4, alignRight: true }, {}];

  assertEquals(tableLines([["a", "1", "x"]], columns), ["a        1  x"]);
  assertEquals(tableLines([["abcdef", "12345", "x"]], columns), ["abcdef  12345  x"]);
});

Deno.test("columnLines() fills columns downwards, as many as fit", () => {
  const cases: [texts: string[], width: number, lines: string[]][] = [
    [[], 80, []],
    [["a"], 80, ["a"]],
    [["a", "b", "c"], 80, ["a  b  c"]],
    [["a", "b", "c", "d", "e"], 8, ["a  c  e", "b  d"]],
    [["long name", "b", "c", "d"], 12, ["long name  c", "b          d"]],
    [["世界", "b", "c", "d"], 7, ["世界  c", "b     d"]],
    [["longer than the terminal", "b"], 10, ["longer than the terminal", "b"]],
  ];
  for (const [texts, width, lines] of cases) assertEquals(columnLines(texts, width), lines, texts.join());
});
