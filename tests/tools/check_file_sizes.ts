/**
 * Rejects tracked files above 500 kB: they are usually accidents, and stay in every clone forever.
 *
 * @module
 */
// deno-lint-ignore-file no-console
const MAX_BYTES = 500_000;

/** The files of a Git checkout that are larger than `maxBytes`, as lines to print. */
export async function largeFiles(folder: string, maxBytes = MAX_BYTES): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-z"],
    cwd: folder,
  }).output();
  if (!success) throw new Error(`git ls-files: ${new TextDecoder().decode(stderr).trim()}`);
  const large: string[] = [];
  for (const name of new TextDecoder().decode(stdout).split("\0").filter(Boolean)) {
    const size = await sizeOf(`${folder}/${name}`);
    if (size > maxBytes) large.push(`${name}: ${size} bytes, more than ${maxBytes}`);
  }
  return large;
}

/** The size of a file; 0 for a tracked but deleted one. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.lstat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

if (import.meta.main) {
  const large = await largeFiles(Deno.cwd());
  for (const line of large) console.error(`tracked file too large: ${line}`);
  Deno.exit(large.length > 0 ? 1 : 0);
}
