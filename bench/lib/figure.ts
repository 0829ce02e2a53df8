import { rounded } from '../measure/statistics.ts';

export type Unit = 'MiB/s' | 's' | 'ms' | 'MiB' | 'requests' | 'requests/s' | 'files/s';

/** One comparison; the shape of a case in the result's file. `ratio` is `ours / peer`, in the unit. */
export interface Figure {
  /** The case's name, and after a slash which of its figures it is. */
  readonly case: string;
  readonly reach: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly peer_name: string;
  readonly ratio: number | null;
  readonly unit: Unit;
  /** null where there is nothing to reach. */
  readonly met: boolean | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Reach {
  readonly text: string;
  isMetBy(compared: { readonly ratio: number; readonly ours: number; readonly peer: number }): boolean | null;
}

export function ratioAtLeast(least: number): Reach {
  return { text: `ratio ≥ ${least}`, isMetBy: ({ ratio }) => ratio >= least };
}

export function ratioAtMost(most: number): Reach {
  return { text: `ratio ≤ ${most}`, isMetBy: ({ ratio }) => ratio <= most };
}

export function oursAtMost(most: number, unit: Unit): Reach {
  return { text: `ours ≤ ${most} ${unit}`, isMetBy: ({ ours }) => ours <= most };
}

export function oursMorePeerAtMost(most: number, unit: Unit): Reach {
  return { text: `ours − peer ≤ ${most} ${unit}`, isMetBy: ({ ours, peer }) => ours - peer <= most };
}

export const forInformation: Reach = { text: 'for information', isMetBy: () => null };

export interface Comparison {
  readonly case: string;
  readonly reach: Reach;
  readonly unit: Unit;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function figure({ case: name, reach, unit, ours, peer, peerName, details }: Comparison): Figure {
  const ratio = ours / peer;
  return {
    case: name,
    reach: reach.text,
    ours: rounded(ours),
    peer: rounded(peer),
    peer_name: peerName,
    ratio: Number.isFinite(ratio) ? rounded(ratio) : null,
    unit,
    met: reach.isMetBy({ ratio, ours, peer }),
    ...(details === undefined ? {} : { details }),
  };
}
