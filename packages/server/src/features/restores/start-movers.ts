import { HoldfastError } from '@holdfast/base';
import type { RestoreTask } from '@holdfast/protocol';
import type { Mover } from '../../runner/mover.ts';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../repositories/service.ts';
import type { FeedPlan } from './plan-feed.ts';
import { type PlannedProject, projectNodePath } from './plan-project.ts';
import type { PlannedPart } from './plan-restore.ts';
import type { PreparedTargets } from './prepare-targets.ts';

export interface StartMoverOptions {
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
}

interface Feeder {
  readonly run: JobRun;
  readonly backup: BackupWithParts;
  readonly feed: FeedPlan;
}

/** A mover that fetches what restore commands are to take in. */
export async function startFeeder(
  { repositories, taskRuns }: StartMoverOptions,
  { run, backup, feed }: Feeder,
): Promise<Mover> {
  const { repository } = await repositories.access(backup.repositoryId);
  return await taskRuns.start(run, 'feed', (base) => ({
    ...base,
    kind: 'feed',
    repository,
    backupId: backup.id,
    commands: feed.commands,
  }));
}

interface Prepared {
  readonly run: JobRun;
  readonly backup: BackupWithParts;
  readonly parts: readonly PlannedPart[];
  readonly project: PlannedProject | undefined;
  readonly prepared: PreparedTargets;
}

/** A mover that stages and restores files. */
export async function startRestoreMover(
  { repositories, taskRuns }: StartMoverOptions,
  { run, backup, parts, project, prepared }: Prepared,
): Promise<Mover> {
  const { repository } = await repositories.access(backup.repositoryId);
  const specs = taskParts(parts, { project, paths: prepared.paths });
  const spec = (base: TaskBase): RestoreTask => ({
    ...base,
    kind: 'restore',
    repository,
    backupId: backup.id,
    parts: specs,
  });
  return await taskRuns.start(run, 'restore', spec, prepared.mounts);
}

/** The parts as a mover takes them; the project's folder is left out where there is no way to it. */
export function taskParts(
  parts: readonly PlannedPart[],
  { project, paths }: Pick<Prepared, 'project'> & { readonly paths: ReadonlyMap<string, string> },
): RestoreTask['parts'] {
  const specs = parts.map(({ part: { name, snapshotId, treeId, files, bytes }, only }) => {
    const path = paths.get(name);
    if (path === undefined) throw new HoldfastError('internal', `The part ${name} has no path.`);
    return { name, snapshotId, treeId, path, nodePath: dataNodePath, only, kept: [], files, bytes };
  });
  const path = project === undefined ? undefined : paths.get(project.part.name);
  if (project === undefined || path === undefined) return specs;
  const { part, kept } = project;
  const { name, snapshotId, treeId, files, bytes } = part;
  return [
    ...specs,
    { name, snapshotId, treeId, path, nodePath: projectNodePath, only: null, kept, files, bytes },
  ];
}

const dataNodePath: [string, ...string[]] = ['data'];
