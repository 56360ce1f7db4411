/**
 * Progress of all transfers of a command, drawn as one line on standard error when that is a terminal.
 *
 * @module
 */
import { displayWidth, fitEnd } from "./display_width.ts";
import { formatDuration, formatSize } from "../format.ts";

const REDRAW_MS = 200;
/** Averaging window of the rate. */
const RATE_WINDOW_MS = 10_000;

/** State of all transfers. */
export interface ProgressState {
  /** The name of a file, or how many files are done. */
  label: string;
  doneBytes: number;
  /** `undefined` while unknown. */
  totalBytes: number | undefined;
}

/** Redraws one line. */
export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #samples: { at: number; bytes: number }[] = [];
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Draws the state, at most five times a second. */
  update(state: () => ProgressState): void {
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const { label, doneBytes, totalBytes } = state();
    this.#samples.push({ at: now, bytes: doneBytes });
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > RATE_WINDOW_MS) this.#samples.shift();
    this.#draw(label, doneBytes, totalBytes);
  }

  /** Erases the line; the next update draws it again. */
  clear(): void {
    if (this.#drawn) this.#write("\r\x1b[K");
    this.#drawn = false;
    this.#drawnAt = -Infinity;
  }

  #draw(label: string, doneBytes: number, totalBytes: number | undefined): void {
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
    const details = `${share}${rate}${left}`;
    // Some terminals wrap after the last column, so it stays free.
    const columns = this.#columns() - 1;
    const short = fitEnd(label, columns - displayWidth(details) - 2);
    this.#write(`\r\x1b[K${short.length > 1 ? `${short}  ${details}` : details.slice(0, columns)}`);
    this.#drawn = true;
  }
}
