/**
 * A copy of an item's content that is only looked at: in a private temporary file that goes with it.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { type LocalContent, OpenFile } from "../local/local_file.ts";
import { openSpool, writeAll } from "../local/spool.ts";
import { type Sink, StreamDownload } from "./stream_download.ts";
import type { RemoteContent } from "./remote_content.ts";
import { ContentHash } from "../transfer/verify.ts";

/** Content with its hashes. */
export interface PrivateCopy extends Disposable {
  content: LocalContent;
  quickXorHash: string;
  sha256: string;
}

/** Downloads a private copy. */
export async function fetchPrivateCopy(
  { settings }: Pick<Connection, "settings">,
  remote: RemoteContent,
): Promise<PrivateCopy> {
  const file = await openSpool(join(settings.state, "spool"));
  try {
    let hash = await ContentHash.create();
    const sink: Sink = {
      async write(bytes) {
        await writeAll(file, bytes);
        hash.add(bytes, hash.position);
      },
      async restart() {
        await file.seek(0, Deno.SeekMode.Start);
        await file.truncate(0);
        hash = await ContentHash.create();
        return true;
      },
    };
    await new StreamDownload(remote, sink, 0, undefined).run();
    const facts = { path: "-", name: remote.item.name, size: hash.position, modified: null };
    const content = new OpenFile(file, facts, false);
    return { content, ...hash.digest(), [Symbol.dispose]: () => content[Symbol.dispose]() };
  } catch (error) {
    file.close();
    throw error;
  }
}
