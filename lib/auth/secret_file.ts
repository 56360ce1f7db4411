/**
 * Secrets that a user or a container provides in a file: keys, passwords, certificates.
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { shellQuoted } from "../local/private_file.ts";

/** Options of {@linkcode readSecretFile}. */
export interface SecretFileOptions {
  /** What the file is, with its path and its setting, for errors. */
  name: string;
  /** What to do about a wrong or missing file. */
  hint: string;
  /** What to do when others can have read it. */
  exposedHint: string;
  /** A longer file is something else. */
  maxBytes: number;
}

/** A pipe can be read once, but a renewal hours later may need its secret again. */
const piped = new Map<string, string>();

/**
 * Reads a secret; that of a pipe is remembered. Symlinks are followed, since containers provide secrets as symlinks. The
 * secret is never part of an error.
 *
 * @throws {GraphError} `usage` when it is missing or not text; `refused` when other users of the machine can read it.
 */
export async function readSecretFile(path: string, options: SecretFileOptions): Promise<string> {
  const { name, hint, exposedHint } = options;
  try {
    using file = await Deno.open(path);
    const { mode, isFile, isFifo } = await file.stat();
    if (!isFile && !isFifo) throw usageError(`${name} is not a file`, hint, "badKey");
    if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      throw new GraphError("refused", `${name} can be read by other users of this machine`, {
        code: "exposedKey",
        hint: `fix it with: chmod 600 ${shellQuoted(path)}; ${exposedHint}`,
      });
    }
    const text = await readText(file, options);
    if (!isFifo) return text;
    const known = text === "" ? piped.get(path) : undefined;
    if (known === undefined) piped.set(path, text);
    return known ?? text;
  } catch (error) {
    throw toSecretFileError(error, path, options);
  }
}

async function readText(
  file: Deno.FsFile,
  { name, hint, maxBytes }: SecretFileOptions,
): Promise<string> {
  const bytes = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  if (length > maxBytes) throw usageError(`${name} is too long for what it should be`, hint, "badKey");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw usageError(`${name} is not text`, hint, "badKey");
  }
}

function toSecretFileError(error: unknown, path: string, { name, hint }: SecretFileOptions): unknown {
  if (error instanceof Deno.errors.NotFound) return usageError(`${name} does not exist`, hint, "noKeyFile");
  if (error instanceof Deno.errors.NotCapable && /^\/(dev|proc)\//.test(path)) {
    return usageError(
      `${name} cannot be opened: Deno opens an inherited descriptor only if it is a pipe`,
      "use the output of a command, <(COMMAND), or the path of the file itself",
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
