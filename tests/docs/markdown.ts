/** Reads the documentation. */

import { assert } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";
import { DOCUMENTS } from "../tools/doc_tables.ts";

/** The name of a document, from the root of the repository. */
export type DocumentName = typeof DOCUMENTS[number];

/** The text of each document. */
export const TEXTS = Object.fromEntries(
  await Promise.all(DOCUMENTS.map(async (name) => [name, await Deno.readTextFile(join(ROOT, name))])),
) as Record<DocumentName, string>;

const BLOCK = /^( *)```([^\n]*)\n(.*?)^\1```$/gms;

/** A fenced block. */
export interface Block {
  language: string;
  text: string;
}

/** The fenced blocks of a text. */
export function blocks(text: string): Block[] {
  return [...text.matchAll(BLOCK)].map(([, , language, text]) => ({ language: language!, text: text! }));
}

/** The first block of this language that contains `part`. */
export function block(document: DocumentName, language: string, part: string): string {
  const found = blocks(TEXTS[document]).find((block) =>
    block.language === language && block.text.includes(part)
  );
  assert(found, `${document} has no block of ${language} with ${part}`);
  return found.text;
}

/** A document without its fenced blocks, where `#` begins a comment. */
function prose(document: DocumentName): string {
  return TEXTS[document].replaceAll(BLOCK, "");
}

/** The headings of a document, without their marks. */
export function headings(document: DocumentName): string[] {
  return [...prose(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
}

/** The text below a heading, up to the next heading of the same level or above. */
export function section(document: DocumentName, heading: string): string {
  const [, marks, rest] = new RegExp(`^(#+) ${heading}\n(.*)`, "ms").exec(TEXTS[document]) ?? [];
  assert(marks !== undefined, `${document} has no heading "${heading}"`);
  const blocks: string[] = [];
  const text = rest!.replaceAll(BLOCK, (block) => `\0${blocks.push(block) - 1}\0`);
  const [own] = text.split(new RegExp(`^#{1,${marks.length}} `, "m"));
  return own!.replaceAll(/\0(\d+)\0/g, (_, index) => blocks[index]!);
}

/** The rows of the first table of a text whose header begins with `first`; cells trimmed. */
export function table(text: string, first: string): string[][] {
  const lines = text.split("\n");
  const header = lines.findIndex((line) => line.startsWith(`| ${first} `));
  assert(header >= 0, `no table with the column "${first}"`);
  const end = lines.findIndex((line, index) => index > header && !line.startsWith("|"));
  return lines.slice(header + 2, end).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** The code spans of a text. */
export function spans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** The relative links of a document, and those within it. */
export function links(document: DocumentName): string[] {
  const targets = [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchor that GitHub gives a heading. */
export function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");
}
