/**
 * What a mistyped name probably means.
 *
 * @module
 */

/**
 * The candidate that is nearest to a typed name, in any case: it begins with it, or at most a third of the letters differ.
 * `undefined` where there is none.
 */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  const name = typed.toLowerCase();
  const distance = (candidate: string) =>
    name.length > 2 && candidate.startsWith(name) ? 1 : editDistance(name, candidate);
  const [first] = candidates.map((text) => ({ text, distance: distance(text.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  return first && first.distance <= Math.max(1, name.length / 3) ? first.text : undefined;
}

/** How many letters must be added, removed, replaced, or swapped with their neighbor. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, replaced, isSwap ? previous[j - 2]! + 1 : Infinity);
    }
    [previous, row] = [row, next];
  }
  return row[b.length]!;
}
