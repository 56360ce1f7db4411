/**
 * The byte ranges of a file: which it has, and in which pieces the others are fetched.
 *
 * @module
 */
/** From `start` up to, but not including, `end`. */
export type ByteRange = readonly [start: number, end: number];

/** A set of bytes, as sorted ranges that neither touch nor overlap. */
export class ByteRanges {
  #ranges: ByteRange[] = [];

  constructor(ranges: Iterable<ByteRange> = []) {
    for (const [start, end] of ranges) this.add(start, end);
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const before = this.#ranges.filter(([, e]) => e < start);
    const after = this.#ranges.filter(([s]) => s > end);
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const joined: ByteRange = [
      Math.min(start, touched[0]?.[0] ?? start),
      Math.max(end, touched.at(-1)?.[1] ?? end),
    ];
    this.#ranges = [...before, joined, ...after];
  }

  clear(): void {
    this.#ranges = [];
  }

  get total(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** The end of the range that starts at the first byte; 0 without one. */
  get prefixEnd(): number {
    const [first] = this.#ranges;
    return first?.[0] === 0 ? first[1] : 0;
  }

  /** The end of the last range. */
  get end(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** Whether the set is empty or one range from the first byte on. */
  get isPrefix(): boolean {
    return this.total === this.prefixEnd;
  }

  /** The ranges of a file of `size` bytes that are not in the set. */
  missing(size: number): ByteRange[] {
    const starts = [0, ...this.#ranges.map(([, end]) => end)];
    const ends = [...this.#ranges.map(([start]) => start), size];
    return starts.map((start, index): ByteRange => [start, Math.min(ends[index]!, size)])
      .filter(([start, end]) => start < end);
  }

  toJSON(): ByteRange[] {
    return [...this.#ranges];
  }
}

/** A shorter range is not worth a connection of its own. */
export const MIN_RANGE_BYTES = 1024 * 1024;

/** Splits what is missing into about as many ranges as there are connections, at least {@linkcode MIN_RANGE_BYTES} long. */
export function splitRanges(missing: readonly ByteRange[], connections: number): ByteRange[] {
  const total = missing.reduce((sum, [start, end]) => sum + end - start, 0);
  const rangeBytes = Math.max(MIN_RANGE_BYTES, Math.ceil(total / connections));
  const ranges: ByteRange[] = [];
  for (const [start, end] of missing) {
    for (let at = start; at < end; at += rangeBytes) ranges.push([at, Math.min(end, at + rangeBytes)]);
  }
  return ranges;
}
