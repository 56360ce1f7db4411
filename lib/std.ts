/**
 * The packages from JSR that the toolkit uses, with their versions. Where JSR cannot be reached, adapters over `node:`
 * modules replace them, so that scripts run without configuration on any network.
 *
 * @module
 */
import type * as ParseArgs from "./compat/parse_args.ts";
import type * as Path from "./compat/path.ts";

// A dynamic import may fail without breaking the module graph. The specifiers are literals, so that `deno cache` and
// `deno compile` find them.
async function loadParseArgs(): Promise<Pick<typeof ParseArgs, "parseArgs">> {
  try {
    return await import("jsr:@std/cli@1.0.32/parse-args");
  } catch {
    return await import("./compat/parse_args.ts");
  }
}

async function loadPath(): Promise<typeof Path> {
  try {
    // The module for all platforms loads Node's `process`, which takes longer than the rest of a script's start.
    return Deno.build.os === "windows"
      ? await import("jsr:@std/path@1.1.5/windows")
      : await import("jsr:@std/path@1.1.5/posix");
  } catch {
    return await import("./compat/path.ts");
  }
}

const [cli, path] = await Promise.all([loadParseArgs(), loadPath()]);

/** `parseArgs` of `@std/cli`. */
export const { parseArgs }: Pick<typeof ParseArgs, "parseArgs"> = cli;

/** Functions of `@std/path` for this platform. */
export const { basename, dirname, join, resolve }: typeof Path = path;
