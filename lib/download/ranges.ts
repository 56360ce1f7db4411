/**
 * Which bytes of a file are there.
 *
 * @module
 */

/** From `start` up to, but without, `end`. */
export type ByteRange = readonly [start: number, end: number];

/** A set of bytes, as ranges in order that neither touch nor overlap. */
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
    const whole: ByteRange = [
      Math.min(start, touched[0]?.[0] ?? start),
      Math.max(end, touched.at(-1)?.[1] ?? end),
    ];
    this.#ranges = [...before, whole, ...after];
  }

  clear(): void {
    this.#ranges = [];
  }

  /** How many bytes are there. */
  get total(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** How many bytes are there from the first one on without a gap. */
  get prefixEnd(): number {
    const [first] = this.#ranges;
    return first?.[0] === 0 ? first[1] : 0;
  }

  /** Where the last byte ends. */
  get end(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** Whether nothing is there but a beginning. */
  get isPrefix(): boolean {
    return this.total === this.prefixEnd;
  }

  /** What lacks of a file of `size` bytes. */
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
