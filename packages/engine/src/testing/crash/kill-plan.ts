import type { FileKind } from '../../backend/backend.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { CallName, CrashPhase, KillPoint, VictimVerb } from './victim-task.ts';

/** One kill: of which verb, and where. */
export type PlannedKill = {
  readonly verb: VictimVerb;
  /** The command line program instead of the victim. */
  readonly isCommand?: boolean;
} & (
  | {
      readonly by: 'time';
      /** The part of the verb's measured length that it may run, 0 to 1. */
      readonly share: number;
    }
  | { readonly by: 'call'; readonly point: KillPoint }
);

interface Sort {
  readonly verb: VictimVerb;
  readonly weight: number;
  readonly isCommand?: boolean;
  /** Where about; by time if there is none. `most` is the number of calls of that sort that a run surely makes. */
  readonly call?: CallName;
  readonly kind?: FileKind;
  readonly most?: number;
  /** By default all of them. */
  readonly moments?: readonly KillPoint['moment'][];
  readonly longestDelayMs?: number;
}

/** Of 200 kills, so many of each sort, and a few more: at least 20 meet each phase, whatever those by time meet. */
const weightsOf = 200;
const sorts: readonly Sort[] = [
  { verb: 'backup', weight: 20 },
  { verb: 'backup', weight: 15, isCommand: true },
  {
    verb: 'backup',
    weight: 26,
    call: 'save',
    kind: 'lock',
    most: 1,
    moments: ['after'],
    longestDelayMs: 280,
  },
  { verb: 'backup', weight: 24, call: 'save', kind: 'data', most: 2, longestDelayMs: 40 },
  { verb: 'backup', weight: 21, call: 'save', kind: 'index', most: 1, longestDelayMs: 4 },
  { verb: 'backup', weight: 25, call: 'save', kind: 'snapshot', most: 1, longestDelayMs: 4 },
  { verb: 'forget', weight: 5 },
  { verb: 'forget', weight: 8, call: 'remove', kind: 'snapshot', most: 2, longestDelayMs: 2 },
  { verb: 'prune', weight: 12 },
  { verb: 'prune', weight: 6, isCommand: true },
  { verb: 'prune', weight: 24, call: 'save', kind: 'data', most: 1, longestDelayMs: 40 },
  { verb: 'prune', weight: 8, call: 'save', kind: 'index', most: 1, longestDelayMs: 4 },
  { verb: 'prune', weight: 6, call: 'remove', kind: 'index', most: 1, longestDelayMs: 2 },
  { verb: 'prune', weight: 12, call: 'remove', kind: 'data', most: 2, longestDelayMs: 2 },
  { verb: 'key-add', weight: 5 },
  { verb: 'key-add', weight: 10, call: 'save', kind: 'key', most: 1, longestDelayMs: 4 },
  { verb: 'key-remove', weight: 5 },
  { verb: 'key-remove', weight: 6, call: 'remove', kind: 'key', most: 1, longestDelayMs: 2 },
];

/** Phases that have to be met so often, and a kill that surely meets each. */
const surePoints = {
  scan: { verb: 'backup', call: 'save', kind: 'lock', moment: 'after', delayMs: 10 },
  pack: { verb: 'backup', call: 'save', kind: 'data', moment: 'before', delayMs: 0 },
  index: { verb: 'backup', call: 'save', kind: 'index', moment: 'before', delayMs: 0 },
  snapshot: { verb: 'backup', call: 'save', kind: 'snapshot', moment: 'before', delayMs: 0 },
  repack: { verb: 'prune', call: 'save', kind: 'data', moment: 'before', delayMs: 0 },
  delete: { verb: 'prune', call: 'remove', kind: 'data', moment: 'after', delayMs: 0 },
} as const satisfies Partial<Record<CrashPhase, { readonly verb: VictimVerb } & Omit<KillPoint, 'number'>>>;

export const wantedPhases = Object.keys(surePoints) as readonly (keyof typeof surePoints)[];

/** Another kill in that phase: the planned ones may have come too late for it, or too early. */
export function killInPhase(phase: keyof typeof surePoints): PlannedKill {
  const { verb, ...point } = surePoints[phase];
  return { verb, by: 'call', point: { ...point, number: 0 } };
}

const allMoments: readonly KillPoint['moment'][] = ['before', 'during', 'after'];

/** About so many kills in an order by chance: of each sort its share; one of some sorts, where there are more sorts. */
export function planKills(kills: number, random: SeededRandom): PlannedKill[] {
  const planned = sorts.flatMap((sort) => {
    const count = Math.max(1, Math.round((sort.weight / weightsOf) * kills));
    return Array.from({ length: count }, (_, number) => planKill(sort, { number, count }, random));
  });
  const shuffled = random.shuffle(planned);
  return kills < sorts.length ? shuffled.slice(0, kills) : shuffled;
}

function planKill(
  { verb, isCommand = false, call, kind, most = 1, moments = allMoments, longestDelayMs = 0 }: Sort,
  { number, count }: { readonly number: number; readonly count: number },
  random: SeededRandom,
): PlannedKill {
  if (call === undefined || kind === undefined) {
    // One in each equal part of the run's length.
    return { verb, isCommand, by: 'time', share: (number + random.next()) / count };
  }
  const point = {
    call,
    kind,
    number: random.integer(most),
    moment: random.pick(moments),
    delayMs: Math.round(random.next() * longestDelayMs),
  } as const;
  return { verb, isCommand, by: 'call', point };
}

export function describeKill(kill: PlannedKill): string {
  const who = kill.isCommand === true ? `holdfast ${kill.verb}` : kill.verb;
  if (kill.by === 'time') return `${who} at ${(kill.share * 100).toFixed(1)} % of its length`;
  const { call, kind, number, moment, delayMs } = kill.point;
  return `${who} ${moment} ${call} ${kind} ${number}, +${delayMs} ms`;
}
