import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  arrived,
  asked,
  bytesOf,
  contentOf,
  envWith,
  journal,
  names,
  partialOf,
  recorded,
} from "./download_env.ts";
import { throughLine } from "../lined_env.ts";

const MIB = 1024 * 1024;
const content = contentOf(12);
const SIZE = content.length;

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the process has just ended
  }
}

/** `GRAPH_SCRIPTS_KILLS=200` runs the campaign in full. */
const KILLS = Number(Deno.env.get("GRAPH_SCRIPTS_KILLS") ?? 12);

/** Number of bytes that a requested range shares with the recorded ranges. */
function overlap(range: string | undefined, done: readonly (readonly [number, number])[]): number {
  const [, first = "0", last = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const end = last === "" ? SIZE : Number(last) + 1;
  return done.reduce((sum, [s, e]) => sum + Math.max(0, Math.min(e, end) - Math.max(s, Number(first))), 0);
}

for (const [connections, bytesPerSecond] of [[1, 16 * MIB], [4, 4 * MIB]] as const) {
  Deno.test(`get survives ${KILLS} kills at random moments with ${connections} connection(s), and fetches no recorded byte again`, async () => {
    await using env = await envWith(content);
    await using line = throughLine(env, { connectionBytesPerSecond: bytesPerSecond });
    let kills = 0;
    let downloads = 0;
    let mostLost = 0;
    for (; kills < KILLS; downloads++) {
      for (let over = false; !over;) {
        const done = await recorded(env);
        const before = env.sandbox.requests.length;
        const child = env.spawn("get", "--connections", `${connections}`, "General/big.bin");
        const timer = setTimeout(() => kill(child), 100 + Math.random() * 1_000);
        const { code, signal, stderr } = await child.output().then((output) => output);
        clearTimeout(timer);
        const again = asked(env, before).reduce((sum, range) => sum + overlap(range, done), 0);
        assertEquals(again, 0, `${again} recorded bytes were requested again`);
        if (signal === null) assertEquals(code, 0, new TextDecoder().decode(stderr));
        else kills++;
        const partial = partialOf(env);
        if (partial && (await Deno.stat(partial)).size > 0 && connections === 1) {
          mostLost = Math.max(mostLost, (await Deno.stat(partial)).size - bytesOf(await recorded(env)));
        }
        // A process killed after the commit leaves nothing to resume either.
        over = names(env.folder).includes("big.bin") &&
          (code === 0 || !journal(env).some((p) => p.endsWith(".json")));
      }
      for (const path of journal(env)) if (path.endsWith(".lock")) await Deno.remove(path); // of a killed process
      await arrived(env, content);
      await Deno.remove(join(env.folder, "big.bin"));
    }
    // A kill costs only the bytes since the last journal entry: at most half a second.
    const repeated = line.storage.downBytes - downloads * SIZE;
    assert(
      repeated <= kills * connections * bytesPerSecond / 2,
      `${repeated} bytes were repeated after ${kills} kills`,
    );
    if (Deno.env.has("GRAPH_SCRIPTS_KILLS")) {
      const summary = {
        connections,
        kills,
        downloads,
        SIZE,
        forwarded: line.storage.downBytes,
        repeated,
        mostLost,
      };
      await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(summary)}\n`));
    }
  });
}
