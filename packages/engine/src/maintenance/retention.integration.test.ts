import { beforeAll, describe, expect, it } from 'vitest';
import type { Timestamp } from '../format/timestamp.ts';
import type { Snapshot } from '../repository/snapshot-store.ts';
import { saveDirectory } from '../testing/saved-directory.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { snapshotOf, type TestRepository, testPassword, testRepository } from '../testing/test-repository.ts';
import { formatCalendarDuration, parseCalendarDuration } from './calendar-duration.ts';
import { applyRetention, type KeepCount, type RetentionPolicy } from './retention.ts';
import { type GroupCriterion, groupSnapshots } from './snapshot-groups.ts';

const seed = 20_260_101;
const snapshotCount = 150;
const policyCount = 24;

const random = new SeededRandom(seed);
const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)] as T;

// With summer time: what a snapshot's own offset and this machine's zone say about a date is not always the same.
process.env.TZ = 'Europe/Berlin';

let place: TestRepository;
let snapshots: readonly Snapshot[];

/** Three years, most of it by the hour and by the day, told by clocks of several time zones. */
function randomTime(): Timestamp {
  const spanMs = pick([3 * 3_600_000, 3 * 86_400_000, 60 * 86_400_000, 3 * 365 * 86_400_000]);
  const epochMs = Date.UTC(2025, 11, 31, 23) - random.integer(Math.floor(spanMs / 1000)) * 1000;
  const epochNs = BigInt(epochMs) * 1_000_000n + BigInt(random.integer(1_000_000_000));
  return { epochNs, offsetMinutes: pick([0, 60, 120, -300]) };
}

const counts: readonly (KeepCount | undefined)[] = [
  undefined,
  undefined,
  undefined,
  1,
  2,
  3,
  7,
  40,
  'unlimited',
];
const spans = [undefined, undefined, undefined, undefined, '1d', '36h', '1m', '1y5m7d2h', '2y', '100d1h'];

function randomPolicy(): RetentionPolicy {
  const span = () => {
    const text = pick(spans);
    return text === undefined ? undefined : parseCalendarDuration(text);
  };
  const policy: RetentionPolicy = {
    last: pick(counts),
    hourly: pick(counts),
    daily: pick(counts),
    weekly: pick(counts),
    monthly: pick(counts),
    yearly: pick(counts),
    within: span(),
    withinHourly: span(),
    withinDaily: span(),
    withinWeekly: span(),
    withinMonthly: span(),
    withinYearly: span(),
    tags: pick([[], [], [['red']], [['red', 'blue'], ['green']], [['']]]),
  };
  // A policy that keeps none of a group is refused by 0.18: each keeps one at least.
  return { ...policy, last: policy.last ?? 1 };
}

function optionsOf(policy: RetentionPolicy): string[] {
  const { tags = [], ...rules } = policy;
  const options = tags.flatMap((list) => ['--keep-tag', list.join(',')]);
  for (const [name, value] of Object.entries(rules)) {
    if (value === undefined) continue;
    const option = `--keep-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    options.push(option, typeof value === 'object' ? formatCalendarDuration(value) : String(value));
  }
  return options;
}

/** For each snapshot why it is kept; nothing for one that goes. */
type Verdicts = Readonly<Record<string, readonly string[]>>;

function ourVerdicts(policy: RetentionPolicy, groupBy: readonly GroupCriterion[]): Verdicts {
  const verdicts: Record<string, readonly string[]> = {};
  for (const group of groupSnapshots(snapshots, groupBy)) {
    const { keep, remove } = applyRetention(group.snapshots, policy, Date.now());
    for (const { snapshot, reasons } of keep) verdicts[snapshot.id] = reasons;
    for (const { id } of remove) verdicts[id] = [];
  }
  return verdicts;
}

/** Before 0.16, restic knew no "unlimited" … */
function oldOptions(options: readonly string[]): string[] {
  return options.map((option) => (option === 'unlimited' ? '1000000' : option));
}

/** … and did not keep a group's oldest snapshot beyond the rules. */
function withoutOldest(verdicts: Verdicts, groupBy: readonly GroupCriterion[]): Verdicts {
  const oldest = groupSnapshots(snapshots, groupBy).map(
    (group) => group.snapshots.toSorted((a, b) => (a.time.epochNs < b.time.epochNs ? -1 : 1))[0]?.id,
  );
  return Object.fromEntries(Object.entries(verdicts).filter(([id]) => !oldest.some((each) => each === id)));
}

interface ResticGroup {
  readonly keep: readonly { readonly id: string }[] | null;
  readonly remove: readonly { readonly id: string }[] | null;
  readonly reasons: readonly { readonly matches: readonly string[] }[] | null;
}

function resticVerdicts(json: string): Verdicts {
  const verdicts: Record<string, readonly string[]> = {};
  for (const { keep, remove, reasons } of JSON.parse(json) as ResticGroup[]) {
    for (const [n, { id }] of (keep ?? []).entries()) verdicts[id] = reasons?.[n]?.matches ?? [];
    for (const { id } of remove ?? []) verdicts[id] = [];
  }
  return verdicts;
}

beforeAll(async () => {
  place = await testRepository({ locksAtOnce: true });
  await using lock = await place.repository.lock('shared');
  await using writer = await place.repository.openWriter({ lock });
  const tree = await saveDirectory(writer, { file: Buffer.from('contents') });
  await writer.flush();
  const saved: Snapshot[] = [];
  for (let n = 0; n < snapshotCount; n += 1) {
    const fields = {
      time: randomTime(),
      hostname: pick(['anvil', 'forge']),
      paths: pick([['/data'], ['/data', '/etc'], ['/etc', '/data']]),
      tags: pick([[], ['red'], ['blue', 'red'], ['green']]),
    };
    saved.push(await place.repository.snapshots.save(snapshotOf(tree, fields), { lock }));
  }
  snapshots = saved;
  return async () => {
    await place[Symbol.asyncDispose]();
  };
});

describe.each(await stockRestics())('retention beside $version', (restic) => {
  const policies = Array.from({ length: policyCount }, () => ({
    policy: randomPolicy(),
    groupBy: pick<readonly GroupCriterion[]>([[], ['host', 'paths'], ['host'], ['tags'], ['paths', 'tags']]),
  }));

  it.each(policies.map((each) => [optionsOf(each.policy).join(' '), each] as const))(
    'is the same: %s',
    async (_options, { policy, groupBy }) => {
      const isOld = restic.version.startsWith('restic 0.14');
      const options = isOld ? oldOptions(optionsOf(policy)) : optionsOf(policy);
      const words = ['--dry-run', '--json', '--group-by', groupBy.join(','), ...options];
      const theirs = resticVerdicts(await restic.run(place.path, testPassword, 'forget', ...words));
      expect(Object.keys(theirs)).toHaveLength(snapshotCount);
      const ours = ourVerdicts(policy, groupBy);
      const compared = (verdicts: Verdicts) => (isOld ? withoutOldest(verdicts, groupBy) : verdicts);
      expect(compared(ours)).toEqual(compared(theirs));
    },
  );
});
