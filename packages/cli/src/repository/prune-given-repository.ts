import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import { confirmOrLeave } from '../terminal/confirm.ts';
import { lockExclusive, openGivenRepository } from './open-given-repository.ts';
import { engineOptionsOf, type PruneCommandOptions } from './prune-options.ts';
import { executeWithProgress, planJson, planLines, planWithProgress } from './prune-repository.ts';
import type { LockedRepositoryOptions } from './repository-options.ts';

export interface PruneGivenOptions extends LockedRepositoryOptions, PruneCommandOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Shows the plan, asks, and executes it; with `--dry-run` it only shows. */
export async function pruneGivenRepository(
  context: CliContext,
  options: PruneGivenOptions,
): Promise<ExitStatus> {
  const repository = await openGivenRepository(context, options);
  await using lock = await lockExclusive(context, repository, options);
  const plan = await planWithProgress(context, repository, { ...engineOptionsOf(options), lock });
  if (context.asJson) context.output.line(JSON.stringify(planJson(plan.figures)));
  else for (const line of planLines(plan.figures)) context.output.line(line);
  if (options.dryRun === true) return exitStatus.done;
  if (!plan.isEmpty) {
    await confirmOrLeave(context, {
      plan: [],
      question: 'Prune the repository like this?',
      yes: options.yes,
    });
  }
  await executeWithProgress(context, plan);
  return exitStatus.done;
}
