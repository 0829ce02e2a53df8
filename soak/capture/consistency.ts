import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isJobOver } from '@holdfast/protocol';
import type { AppEnvironment } from '../../bench/environment/app-environment.ts';
import { below, openEnvironment, openServer } from '../../bench/environment/capture-bench.ts';
import { type TakenBackup, takeBackup, timeOf } from '../../bench/environment/consistent-backup.ts';
import { series } from '../../bench/measure/statistics.ts';
import type { Holdfast } from '../../e2e/support/holdfast.ts';
import { eventually } from '../../e2e/support/process.ts';
import { seededRandom } from '../../e2e/support/random.ts';
import type { Commit, Found, SubjectKind } from './subject.ts';

const longestLeadMs = 1_500;
const leadMs = 500;
const restoreTimeoutMs = 600_000;
/** The log has whole milliseconds, by the wall clock; how long it was frozen is by another clock. */
const clockSlackMs = 3;
const namedIds = 5;

export interface ConsistencyOptions {
  readonly rounds: number;
  readonly seed: number;
  /** An empty directory. */
  readonly path: string;
  readonly signal?: AbortSignal;
  readonly say: (line: string) => void;
}

export interface ConsistencyResult {
  readonly rounds: number;
  readonly failed: readonly string[];
  /** Commits that had to be there, over all rounds. */
  readonly required: number;
  /** Commits that must not be there. */
  readonly forbidden: number;
  readonly frozenMs: ReturnType<typeof series>;
}

/**
 * Rounds of: the app writes; a consistent backup; more is written; its files are removed; the backup is restored. Then
 * everything that was complete before the containers stood still has to be there, nothing that began after they went
 * on may be, and the app's own checks have to pass.
 */
export async function runConsistency(
  kind: SubjectKind,
  { rounds, seed, path, signal, say }: ConsistencyOptions,
): Promise<ConsistencyResult> {
  await using holdfast = await openServer(join(path, 'server'));
  await using environment = openEnvironment(join(path, 'project'));
  for (const name of kind.wrecked) below(environment.folder, name);
  await using subject = await kind.open(environment);
  const random = seededRandom(seed);
  const failed: string[] = [];
  const frozen: number[] = [];
  const counts = { required: 0, forbidden: 0 };
  for (let round = 1; round <= rounds; round += 1) {
    await delay(leadMs + random() * longestLeadMs, undefined, { signal });
    const taken = await takeBackup(holdfast, environment.name, { signal });
    await delay(leadMs);
    const commits = await subject.quiesce();
    wreck(kind, environment);
    await restore(holdfast, taken);
    // What had ended by itself, for want of its files, is left as it was.
    await environment.startAll();
    const verdict = judge(stoodStill(taken), commits, await subject.find());
    counts.required += verdict.required;
    counts.forbidden += verdict.forbidden;
    const frozenMs = taken.backup.capture?.frozenMs ?? 0;
    frozen.push(frozenMs);
    failed.push(...verdict.problems.map((problem) => `round ${round}, seed ${seed}: ${problem}`));
    say(
      `${round}/${rounds}: frozen for ${frozenMs.toFixed(0)} ms, ${verdict.required} commits before and ${verdict.forbidden} after it, ${verdict.problems[0] ?? 'ok'}`,
    );
    await subject.resume();
  }
  return { rounds, failed, ...counts, frozenMs: series(frozen) };
}

/** While the app runs, as an accident would. */
function wreck({ wrecked }: SubjectKind, { folder: project }: AppEnvironment): void {
  for (const name of wrecked) {
    const folder = join(project, name);
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

async function restore(holdfast: Holdfast, { backup }: TakenBackup): Promise<void> {
  const client = holdfast.client();
  const { job } = await client.call('backup.restore', { params: { backup: backup.id }, body: {} });
  const ended = await eventually(
    'the restore ends',
    async () => {
      const now = await client.call('job.get', { params: { job: job.id } });
      return isJobOver(now.state) ? now : undefined;
    },
    restoreTimeoutMs,
  );
  if (ended.error !== null)
    throw new Error(`The restore failed: ${ended.error.code}: ${ended.error.message}`);
}

/** When the containers stood still, by the backup's own log. */
export interface StoodStill {
  readonly frozenAtMs: number;
  readonly thawedMs: number;
}

function stoodStill(taken: TakenBackup): StoodStill {
  const thawedMs = timeOf(taken, 'The containers go on');
  return { frozenAtMs: thawedMs - (taken.backup.capture?.frozenMs ?? 0), thawedMs };
}

export interface Verdict {
  readonly required: number;
  readonly forbidden: number;
  readonly problems: readonly string[];
}

/** `commits`: all that the app was told; `found`: what the restore brought back. */
export function judge(
  { frozenAtMs, thawedMs }: StoodStill,
  commits: readonly Commit[],
  found: Found,
): Verdict {
  const ids = new Set(found.rows.map(({ id }) => id));
  const required = commits.filter(({ endedMs }) => endedMs < frozenAtMs - clockSlackMs);
  const missing = required.filter(({ id }) => !ids.has(id));
  const isLate = ({ startedMs }: { readonly startedMs: number }) => startedMs > thawedMs + clockSlackMs;
  const forbidden = commits.filter(isLate);
  const ends = new Set(forbidden.map(({ startedMs }) => startedMs));
  const late = found.rows.filter((row) => isLate(row) && ends.has(row.startedMs));
  const problems = [...found.problems];
  if (required.length === 0) problems.push('nothing was committed before the freeze: it proves nothing');
  if (missing.length > 0) problems.push(`${missing.length} commits are missing: ${named(missing)}`);
  if (late.length > 0) problems.push(`${late.length} commits are of after the freeze: ${named(late)}`);
  return { required: required.length, forbidden: forbidden.length, problems };
}

function named(rows: readonly { readonly id: number }[]): string {
  return rows
    .slice(0, namedIds)
    .map(({ id }) => id)
    .join(', ');
}
