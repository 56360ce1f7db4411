/**
 * The content of one item on its way into a partial file: in one stream or over several connections, and judged by its
 * hash when all is there.
 *
 * @module
 */
import { ParallelReception } from "./parallel_reception.ts";
import { PartWriter } from "./part_writer.ts";
import type { PartialFile } from "./partial_file.ts";
import { Reception, type Sink } from "./reception.ts";
import type { RemoteContent } from "./remote_content.ts";
import type { OnProgress } from "../transfer/transfer.ts";
import type { Verdict } from "../transfer/verify.ts";

/** From this size on several connections are used unless told otherwise. */
const PARALLEL_FROM_BYTES = 64 * 1024 * 1024;
const PARALLEL_CONNECTIONS = 4;

/** What came. */
export interface ReceivedFile {
  verdict: Verdict | "damaged";
  bytes: number;
  quickXorHash: string;
  sha256: string;
}

/** How to receive. */
export interface ReceptionOptions {
  /** @default by size */
  connections: number | undefined;
  onProgress: OnProgress | undefined;
  notice: (text: string) => void;
}

/** One partial file that is filled. */
export class FileReception {
  /** How many bytes were there already; `null` when none, or when they were no use. */
  resumedFrom: number | null;
  readonly #content: RemoteContent;
  readonly #partial: PartialFile;
  readonly #options: ReceptionOptions;
  #retried = false;

  constructor(content: RemoteContent, partial: PartialFile, options: ReceptionOptions) {
    this.#content = content;
    this.#partial = partial;
    this.#options = options;
    this.resumedFrom = partial.ranges.total || null;
  }

  /** Receives the whole content; what is damaged is received once more from its first byte. */
  async run(): Promise<ReceivedFile> {
    for (;;) {
      await this.#receive();
      const bytes = this.#partial.ranges.prefixEnd;
      const hashes = await this.#partial.hash.digest();
      const verdict = this.#content.verdict(bytes, hashes.quickXorHash);
      if (!await this.#isToRepeat(verdict)) return { verdict, bytes, ...hashes };
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
      const reception = new ParallelReception(this.#content, this.#partial, connections, onProgress);
      const ended = await reception.run(connections);
      if (ended === "done") return;
      if (ended === "whole") this.#content.wholeOnly = true;
      this.#content.noteRestart();
      await this.#restart();
    }
  }

  async #receiveStream(): Promise<void> {
    const writer = new PartWriter(this.#partial);
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
      await new Reception(this.#content, sink, from, this.#options.onProgress).run();
    } finally {
      await writer.flush();
      writer.close();
    }
  }

  /** Whether what came is to be received again, because it changed meanwhile or may have been spoilt on its way. */
  async #isToRepeat(verdict: Verdict | "damaged"): Promise<boolean> {
    const mixed = this.resumedFrom !== null || this.#content.requests > 1;
    if (verdict === "same" || (verdict !== "damaged" && !mixed)) return false;
    const { version, item } = this.#content;
    await this.#content.refresh();
    // A new version that came between the facts and the content is as good as the old one.
    if (this.#content.version !== version) {
      this.#content.noteRestart();
      return true;
    }
    const { notice } = this.#options;
    const { guessedFrom } = this.#partial;
    if (guessedFrom !== null) {
      notice(`${guessedFrom} is not the beginning of ${item.path}; starting from the first byte`);
      return true;
    }
    if (verdict !== "damaged" || this.#retried) return false;
    this.#retried = true;
    notice(`${item.path} is not what the service states; getting it once more from its first byte`);
    return true;
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
