import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  applyRetention,
  forgetSnapshots,
  groupSnapshots,
  isEmptyPolicy,
  type Repository,
  type RepositoryLock,
  type Snapshot,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatNumberOf } from '../output/quantities.ts';
import { confirmOrLeave } from '../terminal/confirm.ts';
import { type DecidedGroup, groupJson, writeGroup } from './forget-output.ts';
import { lockExclusive, lockShared, openGivenRepository } from './open-given-repository.ts';
import { engineOptionsOf, type PruneCommandOptions } from './prune-options.ts';
import { executeWithProgress, planJson, planLines, planWithProgress } from './prune-repository.ts';
import type { LockedRepositoryOptions } from './repository-options.ts';
import type { RetentionOptions } from './retention-options.ts';
import { policyOf } from './retention-policy.ts';
import { findSnapshot, isSelected, type SnapshotSelection } from './snapshot-selection.ts';

export interface ForgetCommandOptions
  extends LockedRepositoryOptions,
    SnapshotSelection,
    RetentionOptions,
    PruneCommandOptions {
  readonly compact?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly yes?: boolean;
  readonly unsafeAllowRemoveAll?: boolean;
}

/** What is to be forgotten, and how that came to be. */
interface Decision {
  readonly groups: readonly DecidedGroup[];
  readonly removed: readonly Snapshot[];
  /** Why some snapshots were not looked at. */
  readonly unreadable: readonly string[];
}

/** Exit status 3 when there are snapshots that cannot be read: those stay. */
export async function forgetGivenSnapshots(
  context: CliContext,
  ids: readonly string[],
  options: ForgetCommandOptions,
): Promise<ExitStatus> {
  if (ids.length === 0) requirePolicy(options);
  const repository = await openGivenRepository(context, options);
  const takeLock = options.prune === true ? lockExclusive : lockShared;
  await using lock = await takeLock(context, repository, options);
  const decision = await decide(context, repository, { ids, options });
  show(context, decision, options);
  if (decision.removed.length > 0) await carryOut(context, { repository, lock, decision, options });
  for (const message of decision.unreadable) context.errors.line(printable(`warning: ${message}`));
  return decision.unreadable.length === 0 ? exitStatus.done : exitStatus.warnings;
}

function requirePolicy(options: ForgetCommandOptions): void {
  if (!isEmptyPolicy(policyOf(options))) return;
  if (options.unsafeAllowRemoveAll === true) {
    if ([options.host, options.tag, options.path].some((list) => list !== undefined)) return;
    throw new HoldfastError('usage-invalid', 'Nothing says which snapshots may all be removed: none is.', {
      hint: 'Give --host, --tag or --path with --unsafe-allow-remove-all.',
    });
  }
  throw new HoldfastError('usage-invalid', 'Nothing says which snapshots to keep: none is removed.', {
    hint: 'Give --keep-last, --keep-daily or another rule, or name snapshots to forget.',
  });
}

interface Request {
  readonly ids: readonly string[];
  readonly options: ForgetCommandOptions;
}

async function decide(
  context: CliContext,
  repository: Repository,
  { ids, options }: Request,
): Promise<Decision> {
  const { signal } = context.interrupts;
  if (ids.length > 0) {
    const named = new Map<string, Snapshot>();
    for (const id of ids) {
      const snapshot = await findSnapshot(repository, id, { selection: options, signal });
      named.set(snapshot.id, snapshot);
    }
    return { groups: [], removed: [...named.values()], unreadable: [] };
  }
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  const selected = snapshots.filter((snapshot) => isSelected(snapshot, options));
  const policy = policyOf(options);
  const groups = groupSnapshots(selected, options.groupBy).map(
    (group): DecidedGroup => ({
      group,
      ...(isEmptyPolicy(policy)
        ? { keep: [], remove: group.snapshots }
        : applyRetention(group.snapshots, policy, context.clock.now())),
    }),
  );
  if (!isEmptyPolicy(policy)) refuseEmptyGroups(groups);
  return {
    groups,
    removed: groups.flatMap(({ remove }) => remove),
    unreadable: damaged.map(({ error }) => error.message),
  };
}

function refuseEmptyGroups(groups: readonly DecidedGroup[]): void {
  const emptied = groups.find(({ keep }) => keep.length === 0);
  if (emptied === undefined) return;
  const { hostname, paths, tags } = emptied.group;
  const name = [hostname, ...(paths ?? []), ...(tags ?? [])].join(' ').trim();
  throw new HoldfastError(
    'usage-invalid',
    `The rules keep no snapshot of ${name || 'a group'}: none is removed.`,
    {
      hint: 'Give a rule that keeps some, or name the snapshots to forget.',
    },
  );
}

function show(context: CliContext, { groups, removed }: Decision, options: ForgetCommandOptions): void {
  if (context.asJson) {
    if (groups.length > 0) context.output.line(JSON.stringify(groups.map(groupJson)));
    return;
  }
  for (const group of groups) writeGroup(context, group, { isCompact: options.compact === true });
  if (removed.length === 0) context.notes.line('There is nothing to forget.');
}

interface Removal {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  readonly decision: Decision;
  readonly options: ForgetCommandOptions;
}

async function carryOut(
  context: CliContext,
  { repository, lock, decision, options }: Removal,
): Promise<void> {
  const { removed } = decision;
  const ids = removed.map(({ id }) => id);
  const what = formatNumberOf(removed.length, 'snapshot');
  const pruning = { ...engineOptionsOf(options), lock };
  if (options.dryRun === true) {
    context.notes.line(`Would forget ${what}${listed(decision)}.`);
    if (options.prune !== true) return;
    const plan = await planWithProgress(context, repository, { ...pruning, withoutSnapshots: new Set(ids) });
    writePlan(context, plan.figures);
    return;
  }
  const thenPrune = options.prune === true ? ' and remove what only they need' : '';
  await confirmOrLeave(context, {
    plan: decision.groups.length > 0 ? [] : removed.map(({ id }) => `  ${id}`),
    question: `Forget ${what}${thenPrune}?`,
    yes: options.yes,
  });
  await forgetSnapshots(repository, ids, { lock, signal: context.interrupts.signal });
  context.notes.line(`Forgot ${what}.`);
  if (options.prune !== true) return;
  const plan = await planWithProgress(context, repository, pruning);
  writePlan(context, plan.figures);
  await executeWithProgress(context, plan);
}

function listed({ groups, removed }: Decision): string {
  return groups.length > 0 ? '' : `: ${removed.map(({ id }) => id.slice(0, 8)).join(', ')}`;
}

function writePlan(context: CliContext, figures: Parameters<typeof planLines>[0]): void {
  if (context.asJson) context.output.line(JSON.stringify(planJson(figures)));
  else for (const line of planLines(figures)) context.output.line(line);
}
