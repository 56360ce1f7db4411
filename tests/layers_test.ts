/** Imports of lib and scripts point downwards in this list, and only its top names flags and commands. */

import { assertEquals } from "./assert.ts";
import { fileURLToPath } from "node:url";
import { dirname, join } from "../lib/std.ts";

/** Folders or files of lib, from top to bottom; those in one line do not import each other. */
const LAYERS = [
  ["scripts", "mod"],
  ["cli"],
  ["manage"],
  ["upload", "download"],
  ["content"],
  ["connect"],
  ["transfer"],
  ["documents"],
  ["drive"],
  ["graph"], // imports only the session type from auth
  ["auth"],
  ["settings"],
  ["app_settings"],
  ["local"],
  ["http"],
];
/** Modules that import only each other. */
const LEAVES = ["errors", "abort", "clouds", "format", "json", "std", "suggest", "compat"];

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Source texts by path from the root of the repository. */
async function sources(folder: string): Promise<[path: string, code: string][]> {
  const entries = await Array.fromAsync(Deno.readDir(join(ROOT, folder)));
  const found = await Promise.all(entries.map(async ({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return await sources(path);
    return name.endsWith(".ts")
      ? [[path, await Deno.readTextFile(join(ROOT, path))] as [string, string]]
      : [];
  }));
  return found.flat().toSorted();
}

function layerOf(path: string): { name: string; rank: number } {
  const [top, second = ""] = path.split("/");
  const name = top === "scripts" ? top : second.replace(/\.ts$/, "");
  const rank = LEAVES.includes(name) ? LAYERS.length : LAYERS.findIndex((names) => names.includes(name));
  if (rank < 0) throw new Error(`${path} is in no layer; add its folder to this test`);
  return { name, rank };
}

function importsOf(path: string, code: string): { target: string; isType: boolean }[] {
  const imports = code.matchAll(
    /^(?:import|export)( type)?\s[^;"]*?"(\.{1,2}\/[^"]+)";|import\("(\.[^"]+)"\)/gm,
  );
  return [...imports].map(([, type, from, lazy]) => ({
    target: join(dirname(path), from ?? lazy!).replaceAll("\\", "/"),
    isType: type !== undefined,
  }));
}

Deno.test("imports of lib and scripts point downwards", async () => {
  const upwards = [...await sources("lib"), ...await sources("scripts")].flatMap(([path, code]) =>
    importsOf(path, code).filter(({ target, isType }) => {
      const [from, to] = [layerOf(path), layerOf(target)];
      if (from.name === to.name) return false;
      if (from.name === "graph" && to.name === "auth") return !isType || target !== "lib/auth/session.ts";
      return from.rank > to.rank || (from.rank === to.rank && from.rank < LAYERS.length);
    }).map(({ target }) => `${path} imports ${target}`)
  );
  assertEquals(upwards, []);
});

Deno.test("only lib/cli and scripts name flags and scripts", async () => {
  const named = (await sources("lib")).flatMap(([path, code]) =>
    path.startsWith("lib/cli/") ? [] : code.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "").split("\n")
      .filter((line) => /["'`][^"'`]*(?<![\w-])--[a-z][a-z-]+|\bcommandName\b|scripts\/\w/.test(line))
      .map((line) => `${path}: ${line.trim()}`)
  );
  assertEquals(named, []);
});
