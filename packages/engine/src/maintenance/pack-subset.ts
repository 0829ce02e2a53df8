import { randomInt } from 'node:crypto';

/**
 * A part of all packs: the n-th of `parts` equal ones, always the same for the same packs, so that checking one after
 * the other checks everything; or a random share of them, in per cent or bytes.
 */
export type PackSubset =
  | { readonly part: number; readonly parts: number }
  | { readonly percent: number }
  | { readonly sizeBytes: number };

/** The packs of the subset. By parts as restic divides them: by the first byte of a pack's id. */
export function selectPacks<Pack extends { readonly id: string; readonly sizeBytes: number }>(
  packs: readonly Pack[],
  subset: PackSubset,
): readonly Pack[] {
  if ('parts' in subset) {
    const { part, parts } = subset;
    return packs.filter(({ id }) => Number.parseInt(id.slice(0, 2), 16) % parts === part - 1);
  }
  const totalBytes = packs.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const share = 'percent' in subset ? subset.percent / 100 : subset.sizeBytes / Math.max(1, totalBytes);
  return randomPacks(packs, Math.min(packs.length, Math.max(1, Math.floor(packs.length * share))));
}

function randomPacks<Pack>(packs: readonly Pack[], count: number): readonly Pack[] {
  const left = [...packs];
  for (let place = 0; place < count; place += 1) {
    const other = randomInt(place, left.length);
    const [a, b] = [left[place], left[other]];
    if (a === undefined || b === undefined) break;
    left[place] = b;
    left[other] = a;
  }
  return left.slice(0, count);
}
