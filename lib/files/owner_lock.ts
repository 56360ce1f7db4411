/**
 * A lock for file systems without locks: a file that names its owner, who gives a sign of life into it. Such a file
 * outlives a killed owner, so there are rules for when it is dead.
 *
 * @module
 */

/** Times of an {@linkcode OwnerLock}. */
export interface OwnerLockTimes {
  /** Between two signs of life. @default 5000 */
  signMs?: number;
  /** An owner is dead when its file has not changed for so long while somebody watched. @default 30000 */
  deadMs?: number;
}

/**
 * Dead by the clock alone, for who does not stay to watch. Long, because the clocks of two machines differ, and the server
 * of a network file system has a third one.
 */
const DEAD_BY_CLOCK_MS = 10 * 60_000;

/** One process's view of the lock. */
export class OwnerLock {
  readonly #path: string;
  readonly #signMs: number;
  readonly #deadMs: number;
  #seen: { text: string; at: number } | undefined;

  constructor(path: string, { signMs = 5_000, deadMs = 30_000 }: OwnerLockTimes = {}) {
    this.#path = path;
    this.#signMs = signMs;
    this.#deadMs = deadMs;
  }

  /** Takes the lock if it is free; removes it if its owner is dead, for the next try. */
  async tryTake(): Promise<AsyncDisposable | undefined> {
    let file: Deno.FsFile;
    try {
      // To create a new file is atomic on NFS, too, since its version 3.
      file = await Deno.open(this.#path, { write: true, createNew: true, mode: 0o600 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      await this.#removeDead();
      return undefined;
    }
    return await this.#hold(file);
  }

  /** Who holds it, for people. */
  async holder(): Promise<string | undefined> {
    try {
      const { pid, host, since } = JSON.parse(await this.#read() ?? "null") ?? {};
      return pid === undefined ? undefined : `process ${pid}${host ? ` on ${host}` : ""} since ${since}`;
    } catch {
      return undefined; // it is being written just now
    }
  }

  async #hold(file: Deno.FsFile): Promise<AsyncDisposable> {
    const id = crypto.randomUUID();
    const owner = { id, pid: Deno.pid, host: await hostName(), since: new Date().toISOString() };
    let signs = 0;
    const sign = async () => {
      // Through the open file: once somebody has taken the owner for dead, it leads nowhere, and not into the next one's.
      const bytes = new TextEncoder().encode(JSON.stringify({ ...owner, signs: signs++ }));
      await file.seek(0, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    };
    await sign();
    let last: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      last = last.then(sign).catch(() => {}); // without signs others take over, which is what they are for
    }, this.#signMs);
    return {
      [Symbol.asyncDispose]: async () => {
        clearInterval(timer);
        await last;
        file.close(); // Windows removes no open file
        if ((await this.#read())?.includes(id)) await removed(this.#path);
      },
    };
  }

  async #removeDead(): Promise<void> {
    const text = await this.#read();
    if (text === undefined) return;
    const now = performance.now(); // clocks of several machines are not compared
    if (this.#seen?.text !== text) this.#seen = { text, at: now };
    if (now - this.#seen.at < this.#deadMs && !await isOld(this.#path)) return;
    await this.#breakLock(text);
  }

  /** Of several that see the same dead owner, one removes it; else the second would remove the lock of the first. */
  async #breakLock(text: string): Promise<void> {
    const breaking = `${this.#path}.breaking`;
    try {
      (await Deno.open(breaking, { write: true, createNew: true, mode: 0o600 })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (await isOld(breaking)) await removed(breaking); // killed between two lines of this function
      return;
    }
    try {
      if (await this.#read() === text) await removed(this.#path);
    } finally {
      await removed(breaking);
    }
  }

  async #read(): Promise<string | undefined> {
    try {
      return await Deno.readTextFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(path);
    return mtime !== null && Date.now() - mtime.getTime() > DEAD_BY_CLOCK_MS;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removed(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Told where the right to know it was given; the scripts do without. */
async function hostName(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : undefined;
}
