/**
 * One process at a time. The lock is the operating system's on an open file: it ends with its process, however that ends,
 * so it is never stale. On a file system without such locks work goes on without, after a notice.
 *
 * @module
 */
import { dirname } from "../std.ts";
import { GraphError } from "../errors.ts";
import { sleep } from "../abort.ts";

const LOCK_TRY_MS = 50;
const LONG_WAIT_MS = 3_000;
/**
 * What the system answers where a file system has no locks, as NFS without its lock service and some of FUSE: ENOLCK,
 * ENOSYS, ENOTSUP, EOPNOTSUPP. Numbers, because Deno gives the error a code only for the third.
 */
const NO_LOCKS: Partial<Record<typeof Deno.build.os, readonly number[]>> = {
  linux: [37, 38, 95],
  darwin: [77, 78, 45, 102],
  windows: [1, 50],
};

/** How {@linkcode acquireLock} waits. */
export interface LockOptions {
  /** Longest wait for another process. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Told when a wait becomes long, and once if the file system has no locks. */
  notice?: ((text: string) => void) | undefined;
  /** Asks the operating system. @default `FsFile.tryLock` */
  tryLock?: (file: Deno.FsFile) => Promise<boolean>;
}

/**
 * Takes the lock of a path; disposing of it gives it back.
 *
 * @param path Of what is locked; the lock is the file `PATH.lock` beside it.
 * @throws {GraphError} `unavailable`, code `locked`, when another process holds it for the whole time.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<AsyncDisposable> {
  return (await acquireLockUnless(path, options, () => Promise.resolve(false)))!;
}

/**
 * As {@linkcode acquireLock}, for work that another process may do meanwhile.
 *
 * @param done Asked while waiting; once it says so, the wait ends without the lock: `undefined`.
 */
export async function acquireLockUnless(
  path: string,
  options: LockOptions,
  done: () => Promise<boolean>,
): Promise<AsyncDisposable | undefined> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lockPath = `${path}.lock`;
  const started = performance.now();
  let told = false;
  while (true) {
    const lock = await tryOnce(lockPath, options);
    if (lock) return lock;
    if (await done()) return undefined;
    const waitedMs = performance.now() - started;
    if (waitedMs >= options.timeoutMs) throw await locked(lockPath);
    if (waitedMs > LONG_WAIT_MS && !told) {
      told = true;
      options.notice?.(`waiting for another process, which holds ${lockPath}`);
    }
    await sleep(LOCK_TRY_MS, options.signal);
  }
}

/** Runs `body` while no other process runs one for the same path; see {@linkcode acquireLock}. */
export async function withLock<T>(
  path: string,
  timeoutMs: number,
  { signal, notice }: Pick<LockOptions, "signal" | "notice">,
  body: () => Promise<T>,
): Promise<T> {
  await using _lock = await acquireLock(path, { timeoutMs, signal, notice });
  return await body();
}

async function tryOnce(
  lockPath: string,
  { tryLock = (file) => file.tryLock(true), notice }: LockOptions,
): Promise<AsyncDisposable | undefined> {
  const file = await Deno.open(lockPath, { write: true, create: true, mode: 0o600 });
  let kept = false;
  try {
    // Who held it may have removed the file: then this is the lock of a name that no longer is.
    if (!await tryLock(file) || !await isStill(lockPath, file)) return undefined;
    await noteHolder(file);
    kept = true;
    return {
      async [Symbol.asyncDispose]() {
        await file.unlock();
        file.close();
      },
    };
  } catch (error) {
    if (!isWithoutLocks(error)) throw error;
    const folder = dirname(lockPath);
    if (!lockless.has(folder)) {
      notice?.(`the file system of ${folder} has no locks; do not run several of these commands at once`);
    }
    lockless.add(folder);
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  } finally {
    if (!kept) file.close();
  }
}

/** Folders whose file system has no locks, so that each is reported once. */
const lockless = new Set<string>();

function isWithoutLocks(error: unknown): boolean {
  const [, number] = /\(os error (\d+)\)/.exec(error instanceof Error ? error.message : "") ?? [];
  return NO_LOCKS[Deno.build.os]?.includes(Number(number)) ?? false;
}

/** @throws {GraphError} `refused`, code `linkedFile`: what a link leads to, perhaps another's choice, would be overwritten. */
async function isStill(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const { isSymlink, ino } = await Deno.lstat(path);
    if (isSymlink) {
      throw new GraphError("refused", `${path} is a symbolic link`, {
        code: "linkedFile",
        hint: "look who has made it, and remove it",
      });
    }
    if (Deno.build.os === "windows") return true; // an open file cannot be removed there
    return ino === (await file.stat()).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** For the error of who waits in vain; nothing depends on it. */
async function noteHolder(file: Deno.FsFile): Promise<void> {
  await file.truncate();
  await file.write(
    new TextEncoder().encode(JSON.stringify({ pid: Deno.pid, since: new Date().toISOString() })),
  );
}

async function locked(lockPath: string): Promise<GraphError> {
  const holder = await holderOf(lockPath);
  return new GraphError("unavailable", `another process holds ${lockPath}${holder ? ` (${holder})` : ""}`, {
    code: "locked",
    hint: "wait for it to end, or end it, then run the same command again",
  });
}

async function holderOf(lockPath: string): Promise<string | undefined> {
  try {
    const { pid, since } = JSON.parse(await Deno.readTextFile(lockPath));
    return `process ${Number(pid)} since ${String(since)}`;
  } catch {
    return undefined; // on Windows a locked file cannot be read, and it may be half written
  }
}
