import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { DeletionPlan, Undeletion } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { formatBytes, formatMinute, formatNumberOf, formatSpan } from '../output/quantities.ts';
import { confirmOrLeave } from '../terminal/confirm.ts';

/** What can be taken back for some days: an environment, or a component of one. */
export interface DeleteLater {
  readonly plan: DeletionPlan;
  readonly keepPinned: boolean;
  readonly yes: boolean | undefined;
  /** The command that takes it back. */
  readonly undelete: string;
  /** What more there is to know before. */
  readonly more: readonly string[];
  readonly run: () => Promise<DeletionPlan>;
}

/**
 * Tells what goes and what to download first, asks, and has it deleted.
 * @throws HoldfastError `environment-deleted`, `backup-pinned`, `confirmation-needed`, `interrupted`
 */
export async function deleteLater(context: CliContext, asked: DeleteLater): Promise<ExitStatus> {
  const { plan, keepPinned, yes, undelete } = asked;
  const name = nameOf(plan);
  if (plan.deletion !== null) {
    throw new HoldfastError('environment-deleted', `${name} was deleted already.`, {
      hint: `Take that back: holdfast ${undelete}.`,
    });
  }
  if (plan.pinned.length > 0 && !keepPinned) throw arePinned(plan);
  await confirmOrLeave(context, {
    plan: planLines(asked, context.clock.now()),
    question:
      plan.component === null
        ? `To delete it, type the name of the environment, ${plan.environmentName}:`
        : `Delete ${name}?`,
    ...(plan.component === null ? { typed: plan.environmentName } : {}),
    yes,
  });
  const deleted = await asked.run();
  if (context.asJson) context.output.line(JSON.stringify(deleted, undefined, 2));
  const untilMs = deleted.deletion?.untilMs;
  const until = untilMs === undefined ? '' : ` Until ${formatMinute(untilMs)}: holdfast ${undelete}`;
  context.notes.line(`Deleted ${name}.${until}`);
  return exitStatus.done;
}

/** Tells what became of a deletion that was taken back. */
export function writeUndeletion(context: CliContext, undeletion: Undeletion): ExitStatus {
  if (context.asJson) context.output.line(JSON.stringify(undeletion, undefined, 2));
  context.notes.line(undeletedText(undeletion));
  return exitStatus.done;
}

function undeletedText(undeletion: Undeletion): string {
  const name = nameOf(undeletion);
  if (!undeletion.wasDeleted) return `${name} is not deleted: there is nothing to take back.`;
  if (undeletion.backups === 0) return `${name} is deleted no more. It has no backups.`;
  return `${name} is deleted no more, and has ${formatNumberOf(undeletion.backups, 'backup')}.`;
}

function nameOf({ environmentName, component }: Pick<DeletionPlan, 'environmentName' | 'component'>): string {
  return component === null ? environmentName : `${component} of ${environmentName}`;
}

function planLines({ plan, undelete, more }: DeleteLater, nowMs: number): string[] {
  const { graceMs, pinned, newestGood } = plan;
  const until = formatMinute(nowMs + graceMs);
  return [
    `${nameOf(plan)}: ${backupsText(plan)}`,
    ...pinned.map(({ id, pinReason }) => `  ${id} stays, for it is pinned: "${pinReason}"`),
    ...more.map((line) => `  ${line}`),
    ...(newestGood.length === 0 ? [] : ['  What you may want to have first:']),
    ...newestGood.map(({ id, createdAtMs, components }) => {
      const what = components.length === 0 ? '' : `, ${components.join(', ')}`;
      return `    holdfast backup:download ${id}    # ${formatMinute(createdAtMs)}${what}`;
    }),
    `  Nothing is removed for ${formatSpan(graceMs)}: until ${until}, holdfast ${undelete} takes it back.`,
  ];
}

function backupsText({ backups, bytes, oldestAtMs, newestAtMs }: DeletionPlan): string {
  if (backups === 0 || oldestAtMs === null || newestAtMs === null) return 'it has no backups that would go.';
  const size = `${formatNumberOf(backups, 'backup')} of ${formatBytes(bytes)} in all`;
  const times =
    backups === 1
      ? `of ${formatMinute(newestAtMs)}`
      : `from ${formatMinute(oldestAtMs)} to ${formatMinute(newestAtMs)}`;
  return `${size} will go for good, ${times}.`;
}

function arePinned(plan: DeletionPlan): HoldfastError {
  const named = plan.pinned.map(({ id, pinReason }) => `${id} (${pinReason})`).join(', ');
  return new HoldfastError(
    'backup-pinned',
    `Pinned backups of ${nameOf(plan)} keep it from being deleted: ${named}.`,
    { hint: 'They stay behind with --keep-pinned. Or delete them by their ids first, or unpin them.' },
  );
}
