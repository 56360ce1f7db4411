/**
 * The content of one item on its way into a partial file: in one stream or over several connections, and judged by its
 * hash when all is there.
 *
 * @module
 */
import type { ByteSource } from "../documents/byte_source.ts";
import { type CopyVerdict, damaged, FOREIGN, judgeCopy } from "./verdict.ts";
import { readAt } from "../local/local_file.ts";
import { ParallelDownload } from "./parallel_download.ts";
import { RangeWriter } from "./range_writer.ts";
import type { PartialFile } from "./partial_file.ts";
import { type Sink, StreamDownload } from "./stream_download.ts";
import type { RemoteContent } from "./remote_content.ts";
import type { OnProgress } from "../transfer/result.ts";

/** From this size on several connections are used unless told otherwise. */
const PARALLEL_FROM_BYTES = 64 * 1024 * 1024;
const PARALLEL_CONNECTIONS = 4;

/** What came. */
export type ReceivedFile = CopyVerdict & {
  bytes: number;
  quickXorHash: string;
  sha256: string;
};

/** How to receive. */
export interface ReceptionOptions {
  /** @default by size */
  connections: number | undefined;
  onProgress: OnProgress | undefined;
  notice: (text: string) => void;
}

/** One partial file that is filled. */
export class RangedDownload {
  /** How many bytes were there already; `null` when none, or when they were no use. */
  resumedFrom: number | null;
  readonly #content: RemoteContent;
  readonly #partial: PartialFile;
  readonly #options: ReceptionOptions;
  /** Content that is not what is stated is got once more; one that was taken up again may have been spoilt before. */
  #retriesLeft: number;
  /** SHA-256 of the copy that came before. */
  #former: string | undefined;

  constructor(content: RemoteContent, partial: PartialFile, options: ReceptionOptions) {
    this.#content = content;
    this.#partial = partial;
    this.#options = options;
    this.resumedFrom = partial.ranges.total || null;
    this.#retriesLeft = this.resumedFrom === null ? 1 : 2;
  }

  /** Receives the whole content; what is not as it is stated is received once more from its first byte. */
  async run(): Promise<ReceivedFile> {
    for (;;) {
      await this.#receive();
      const received = { bytes: this.#partial.ranges.prefixEnd, ...await this.#partial.hash.digest() };
      const judged = await this.#judge(received);
      if (judged) return { ...received, ...judged };
      await this.#restart();
    }
  }

  async #receive(): Promise<void> {
    for (;;) {
      const { ranges, totalBytes } = this.#partial;
      const connections = this.#connections();
      if (totalBytes > 0 && ranges.isPrefix && ranges.prefixEnd === totalBytes) return;
      if (this.#content.wholeOnly || ranges.isPrefix && (connections === 1 || totalBytes === 0)) {
        return await this.#receiveStream();
      }
      const { onProgress } = this.#options;
      const reception = new ParallelDownload(this.#content, this.#partial, connections, onProgress);
      const ended = await reception.run(connections);
      if (ended === "done") return;
      if (ended === "whole") this.#content.wholeOnly = true;
      this.#content.noteRestart();
      await this.#restart();
    }
  }

  async #receiveStream(): Promise<void> {
    const writer = new RangeWriter(this.#partial);
    const from = this.#partial.ranges.prefixEnd;
    await writer.seek(from);
    const sink: Sink = {
      write: (bytes) => writer.write(bytes),
      announce: (totalBytes) => this.#partial.announce(totalBytes),
      restart: async () => {
        writer.drop();
        await this.#restart();
        await writer.seek(0);
        return true;
      },
    };
    try {
      await new StreamDownload(this.#content, sink, from, this.#options.onProgress).run();
    } finally {
      await writer.flush();
      writer.close();
    }
  }

  /** Judges what came; `undefined` when it is to be received again: it changed, or may have been spoilt on its way. */
  async #judge(
    { bytes, quickXorHash, sha256 }: { bytes: number; quickXorHash: string; sha256: string },
  ): Promise<CopyVerdict | undefined> {
    const compared = this.#content.compare(bytes, quickXorHash);
    const mixed = this.resumedFrom !== null || this.#content.requests > 1;
    if (compared === "verified" || (compared === "unverified" && !mixed)) return { verdict: compared };
    const { version, item, isForeign } = this.#content;
    await this.#content.refresh();
    // The facts may have been those of an older version.
    if (this.#content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
    if (this.#content.version !== version) {
      this.#content.noteRestart();
      this.#former = undefined;
      return undefined;
    }
    const { notice } = this.#options;
    const { guessedFrom } = this.#partial;
    if (guessedFrom !== null) {
      notice(`${guessedFrom} is not the beginning of ${item.path}; starting from the first byte`);
      return undefined;
    }
    if (compared === "unverified") return { verdict: compared };
    // Not by the service's own hash, which does not see that blocks have changed places (PROTOCOL 10.1).
    if (this.#former === sha256 && !isForeign) return await this.#judgeTwice();
    this.#former = isForeign ? undefined : sha256;
    if (this.#retriesLeft-- === 0) return damaged(isForeign ? FOREIGN : "it comes differently each time");
    notice(`${item.path} is not what the service states; getting it once more from its first byte`);
    return undefined;
  }

  /** The same content came twice. */
  async #judgeTwice(): Promise<CopyVerdict> {
    using file = await Deno.open(this.#partial.place.path);
    const copy: ByteSource = {
      size: this.#partial.ranges.prefixEnd,
      read: (buffer, position) => readAt(file, buffer, position),
    };
    return await judgeCopy(this.#content, copy, this.#partial.place.signal);
  }

  async #restart(): Promise<void> {
    this.resumedFrom = null;
    await this.#partial.restart(this.#content.found);
  }

  #connections(): number {
    const { connections } = this.#options;
    return connections ?? (this.#content.item.size < PARALLEL_FROM_BYTES ? 1 : PARALLEL_CONNECTIONS);
  }
}
