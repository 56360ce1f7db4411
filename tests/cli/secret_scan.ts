/** Finds secrets in the output and files of a program: complete or partial, plain or encoded. */

import { Buffer } from "node:buffer";

/** This many consecutive characters of a secret are a leak. */
const WINDOW = 24;

/** A text to search, and its origin. */
export interface Haystack {
  from: string;
  text: string;
}

/** A secret that was found, and the part that was found. */
export interface Leak {
  from: string;
  /** The beginning of the secret. */
  secret: string;
  found: string;
}

/**
 * Finds every secret of which at least 24 characters in a row (short ones: all) occur, as they are, percent-encoded, as
 * base64 at any alignment, or in hex. Of a URL the query counts: its path is that of an item, which is no secret.
 */
export function leaksIn(haystacks: readonly Haystack[], secrets: readonly string[]): Leak[] {
  const windows = new Map<string, string>();
  const short = new Map<string, string>();
  for (const secret of secrets) {
    for (const form of formsOf(significant(secret))) {
      if (form.length < WINDOW) short.set(form, secret);
      for (let at = 0; at + WINDOW <= form.length; at++) windows.set(form.slice(at, at + WINDOW), secret);
    }
  }
  return haystacks.flatMap(({ from, text }) => {
    const found = new Map<string, Leak>();
    const note = (secret: string, part: string) =>
      found.has(secret) || found.set(secret, { from, secret: secret.slice(0, 40), found: part });
    for (let at = 0; at + WINDOW <= text.length; at++) {
      const part = text.slice(at, at + WINDOW);
      const secret = windows.get(part);
      if (secret !== undefined) note(secret, part);
    }
    for (const [form, secret] of short) if (text.includes(form)) note(secret, form);
    return [...found.values()];
  });
}

/** The secret part of a URL: the value of its token. */
function significant(secret: string): string {
  if (!/^https?:/.test(secret)) return secret;
  return /[?&]tempauth=([^&]+)/.exec(secret)?.[1] ?? secret;
}

function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift, "x"), Buffer.from(secret)]);
    // The characters at both ends also depend on their neighbors.
    const inner = (text: string) => text.replace(/=+$/, "").slice(shift === 0 ? 0 : 4, -4);
    return [inner(bytes.toString("base64")), inner(bytes.toString("base64url"))];
  });
  const encoded = encodeURIComponent(secret);
  const hex = Buffer.from(secret).toString("hex");
  return [...new Set([secret, encoded, encodeURIComponent(encoded), hex, hex.toUpperCase(), ...base64])]
    .filter((form) => form.length >= 8);
}

/** All files below these folders, as text. */
export async function filesBelow(...folders: string[]): Promise<Haystack[]> {
  const all: Haystack[] = [];
  for (const folder of folders) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) all.push(...await filesBelow(path));
      else all.push({ from: path, text: Buffer.from(await Deno.readFile(path)).toString("latin1") });
      all.push({ from: `name of ${path}`, text: name });
    }
  }
  return all;
}
