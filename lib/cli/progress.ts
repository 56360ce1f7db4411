/**
 * Progress of a transfer, drawn on standard error when that is a terminal.
 *
 * @module
 */
import { formatDuration, formatSize } from "../sizes.ts";
import type { OnProgress } from "../transfer/transfer.ts";

const REDRAW_MS = 200;
/** The rate is that of the last seconds, so that it follows a line that changes. */
const RATE_WINDOW_MS = 10_000;

/** Draws one line over and over. */
export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #label: () => string;
  readonly #samples: { at: number; bytes: number }[] = [];
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(label: () => string, write: (text: string) => void, columns: () => number) {
    this.#label = label;
    this.#write = write;
    this.#columns = columns;
  }

  /** Takes where the transfer is, in bytes. */
  readonly update: OnProgress = (doneBytes, totalBytes) => {
    const now = performance.now();
    this.#samples.push({ at: now, bytes: doneBytes });
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > RATE_WINDOW_MS) this.#samples.shift();
    if (now - this.#drawnAt < REDRAW_MS && doneBytes !== totalBytes) return;
    this.#drawnAt = now;
    this.#draw(doneBytes, totalBytes);
  };

  /** Wipes the line. */
  clear(): void {
    if (this.#drawn) this.#write("\r\x1b[K");
    this.#drawn = false;
  }

  #draw(doneBytes: number, totalBytes: number | undefined): void {
    const first = this.#samples[0]!;
    const last = this.#samples.at(-1)!;
    const bytesPerSecond = last.at > first.at ? (last.bytes - first.bytes) / (last.at - first.at) * 1000 : 0;
    const share = totalBytes
      ? `${Math.floor(doneBytes / totalBytes * 100)} % of ${formatSize(totalBytes)}`
      : formatSize(doneBytes);
    const rate = bytesPerSecond > 0 ? `  ${formatSize(bytesPerSecond)}/s` : "";
    const left = totalBytes && bytesPerSecond > 0
      ? `  ${formatDuration((totalBytes - doneBytes) / bytesPerSecond)} left`
      : "";
    const facts = `${share}${rate}${left}`;
    const room = this.#columns() - facts.length - 3;
    const label = this.#label();
    const short = label.length <= room ? label : room > 1 ? `…${label.slice(1 - room)}` : "";
    const line = short ? `${short}  ${facts}` : facts.slice(0, this.#columns());
    this.#write(`\r\x1b[K${line}`);
    this.#drawn = true;
  }
}
