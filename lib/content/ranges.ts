/**
 * Sets of bytes of a file.
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

  /** Number of bytes in the set. */
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
    const gaps: ByteRange[] = [];
    let at = 0;
    for (const [start, end] of this.#ranges) {
      if (start > at) gaps.push([at, Math.min(start, size)]);
      at = end;
    }
    if (at < size) gaps.push([at, size]);
    return gaps.filter(([start, end]) => start < end);
  }

  toJSON(): ByteRange[] {
    return [...this.#ranges];
  }
}
