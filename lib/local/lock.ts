/**
 * Locks between processes. They are the operating system's, on an open file: they end with their process, so none is ever
 * stale. On a file system without locks, a notice says so once, and work continues without.
 *
 * @module
 */
import { sleep } from "../abort.ts";
import { GraphError } from "../errors.ts";
import { dirname } from "../std.ts";
import { lstatIfExists } from "./local_file.ts";

const LOCK_TRY_MS = 50;
const LONG_WAIT_MS = 3_000;

interface LockOptions {
  /** Longest wait for another process, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Called when a wait becomes long, and once if the file system has no locks. */
  notice?: ((text: string) => void) | undefined;
  /** Checked while waiting for work that another process may do meanwhile; `true` ends the wait, without the lock. */
  isDone?: (() => Promise<boolean>) | undefined;
  /** @default `FsFile.tryLock` */
  tryLock?: (file: Deno.FsFile) => Promise<boolean>;
}

/**
 * Acquires the lock of a path; disposing of it releases it.
 *
 * @param path What is locked; the lock is the file `PATH.lock` beside it.
 * @returns `undefined` only if `isDone` is true.
 * @throws {GraphError} `unavailable`, code `locked`, if another process holds it all the time.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<AsyncDisposable | undefined> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lockPath = `${path}.lock`;
  const started = performance.now();
  let isNoticed = false;
  while (true) {
    const lock = await tryOnce(lockPath, options);
    if (lock) return lock;
    if (await options.isDone?.()) return undefined;
    const waitedMs = performance.now() - started;
    if (waitedMs >= options.timeoutMs) throw locked(lockPath);
    if (waitedMs > LONG_WAIT_MS && !isNoticed) {
      isNoticed = true;
      options.notice?.(`waiting for another process that holds ${lockPath}`);
    }
    await sleep(LOCK_TRY_MS, options.signal);
  }
}

async function tryOnce(
  lockPath: string,
  { tryLock = (file) => file.tryLock(true), notice }: LockOptions,
): Promise<AsyncDisposable | undefined> {
  const file = await Deno.open(lockPath, { write: true, create: true, mode: 0o600 });
  try {
    const isLocked = await tryLock(file).catch(() => continueWithout(lockPath, notice));
    // Its last holder may have deleted the file: then this lock would exclude no one.
    if (isLocked && await isStill(lockPath, file)) {
      return { [Symbol.asyncDispose]: () => Promise.resolve(file.close()) };
    }
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}

let isReported = false;

/** Some file systems have no locks, such as NFS without its lock service, and some of FUSE. */
function continueWithout(lockPath: string, notice: LockOptions["notice"]): true {
  if (!isReported) {
    notice?.(
      `the file system of ${dirname(lockPath)} has no locks; do not run several of these commands at once`,
    );
  }
  isReported = true;
  return true;
}

/**
 * Whether the path is still the open file.
 *
 * @throws {GraphError} `refused`, code `linkedFile`: a symlink, perhaps another user's, could have any file overwritten.
 */
async function isStill(path: string, file: Deno.FsFile): Promise<boolean> {
  const info = await lstatIfExists(path);
  if (info?.isSymlink) {
    throw new GraphError("refused", `${path} is a symbolic link`, {
      code: "linkedFile",
      hint: "find out who created it, and remove it",
    });
  }
  if (Deno.build.os === "windows") return true; // an open file cannot be deleted there
  return info?.ino === (await file.stat()).ino;
}

function locked(lockPath: string): GraphError {
  return new GraphError("unavailable", `another process holds ${lockPath}`, {
    code: "locked",
    hint: "wait for it to end, or end it, then run the same command again",
  });
}
