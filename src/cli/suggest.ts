/** Number of single-letter edits between two words; two neighbours swapped count as one. */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j);
        continue;
      }
      const [above, before] = [rows[i - 1] as number[], rows[i - 2]];
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + same);
      if (before && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] as number) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}

/** The word of a list that was probably meant, if one is near enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const starts = known.filter((name) => word.length > 2 && name.startsWith(word));
  if (starts.length === 1) return starts[0];
  const ranked = known.map((name) => ({ name, d: distance(word, name) })).sort((x, y) => x.d - y.d);
  const [best] = ranked;
  return best && best.d <= Math.max(1, Math.floor(Math.max(word.length, best.name.length) / 3)) ? best.name : undefined;
}
