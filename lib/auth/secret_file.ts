/**
 * Secrets that a person or a container puts into a file for us to read: keys, passwords, certificates.
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { shellQuoted } from "../local/private_file.ts";

/** Words for the errors about a secret file. */
export interface SecretFileWords {
  /** What the file is, with its path and where that comes from. */
  name: string;
  /** What to do about a file that is none. */
  hint: string;
  /** What to do when others can have read it. */
  exposedHint: string;
  /** What is longer is something else, in bytes. */
  mostBytes: number;
}

/** A pipe gives what it has once, and a new token may need it again hours later. */
const piped = new Map<string, string>();

/**
 * Reads a secret; one of a pipe is remembered. Links are followed: secrets of containers are links. The secret is never part of an error.
 *
 * @throws {GraphError} `usage` when there is no such file, or none of text; `refused` when other users of the machine can
 *   read it.
 */
export async function readSecretFile(path: string, words: SecretFileWords): Promise<string> {
  const { name, hint, exposedHint } = words;
  try {
    using file = await Deno.open(path);
    const { mode, isFile, isFifo } = await file.stat();
    if (!isFile && !isFifo) throw usageError(`${name} is not a file`, hint, "badKey");
    if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      throw new GraphError("refused", `${name} can be read by other users of this machine`, {
        code: "exposedKey",
        hint: `mend it with: chmod 600 ${shellQuoted(path)}; ${exposedHint}`,
      });
    }
    const text = await readText(file, words);
    if (!isFifo) return text;
    const known = text === "" ? piped.get(path) : undefined;
    if (known === undefined) piped.set(path, text);
    return known ?? text;
  } catch (error) {
    throw explained(error, path, words);
  }
}

async function readText(file: Deno.FsFile, { name, hint, mostBytes }: SecretFileWords): Promise<string> {
  const bytes = new Uint8Array(mostBytes + 1);
  let at = 0;
  while (at < bytes.length) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  if (at > mostBytes) throw usageError(`${name} is too long for what it should be`, hint, "badKey");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, at));
  } catch {
    throw usageError(`${name} is not text`, hint, "badKey");
  }
}

function explained(error: unknown, path: string, { name, hint }: SecretFileWords): unknown {
  if (error instanceof Deno.errors.NotFound) return usageError(`${name} does not exist`, hint, "noKeyFile");
  if (error instanceof Deno.errors.NotCapable && /^\/(dev|proc)\//.test(path)) {
    return usageError(
      `${name} cannot be opened: Deno opens an inherited descriptor only when it is a pipe`,
      "use a command's output, <(COMMAND), or the path of the file itself",
      "badKey",
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new GraphError("refused", `${name} cannot be read: permission denied`, {
      code: "keyFileDenied",
      hint: "check its owner and mode with: ls -l",
      cause: error,
    });
  }
  return error;
}
