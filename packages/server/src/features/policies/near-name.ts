/** The one that somebody obviously meant, if any: alike but for its case, its punctuation, or a slip or two. */
export function nearName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 60) return undefined;
  const plainName = plain(name);
  const allowed = plainName.length < 5 ? 1 : 2;
  let nearest: { readonly name: string; readonly slips: number } | undefined;
  for (const other of known) {
    const slips = slipsBetween(plainName, plain(other));
    if (slips <= allowed && slips < (nearest?.slips ?? Number.POSITIVE_INFINITY))
      nearest = { name: other, slips };
  }
  return nearest?.name;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Letters that are to be added, left out or replaced (Levenshtein). */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
