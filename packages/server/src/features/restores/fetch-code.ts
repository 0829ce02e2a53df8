import { HoldfastError } from '@holdfast/base';
import { type EnvironmentModel, pullMissingImages } from '@holdfast/docker';
import type { CodeTask, SealedPart } from '@holdfast/protocol';
import type { MoverEventOf } from '../../runner/milestones.ts';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../repositories/service.ts';

/** A restore into a target. */
export interface TargetRequest {
  readonly run: JobRun;
  readonly backup: BackupWithParts;
  readonly survey: EnvironmentSurvey;
}

export interface CodeRequest extends TargetRequest {
  readonly code: SealedPart;
  readonly loadsImages?: boolean;
}

export interface FetchCodeOptions {
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
}

/**
 * Reads what an environment was made of, and loads the images of the backup that the target's engine does not have. Not
 * those that were imported: an image says itself what it is called, and would take the name of one that others use.
 * @throws HoldfastError `code-unusable`
 */
export async function fetchCode(
  { repositories, taskRuns }: FetchCodeOptions,
  { run, backup, survey: { docker }, code, loadsImages = true }: CodeRequest,
): Promise<MoverEventOf<'described'>> {
  run.step('Reading what it was made of');
  const images: CodeTask['images'] = [];
  for (const { name, source, treeId, bytes } of backup.parts) {
    if (source.kind !== 'image' || backup.kind === 'imported' || !loadsImages) continue;
    const known = await docker.images.inspect(source.imageId, run);
    const { imageId, reference } = source;
    if (known === undefined)
      images.push({ name, treeId, bytes, imageId, reference, dockerHost: docker.host });
  }
  const binds = backup.parts.flatMap(({ name, source, treeId }) =>
    source.kind === 'bind' ? [{ name, treeId }] : [],
  );
  const { repository } = await repositories.access(backup.repositoryId);
  const spec = (base: TaskBase): CodeTask => ({
    ...base,
    kind: 'code',
    repository,
    treeId: code.treeId,
    binds,
    images,
  });
  const mover = await taskRuns.start(run, 'code', spec);
  try {
    mover.send({ type: 'go' });
    await mover.waitForSuccess(run);
    const { described } = mover.milestones;
    if (described !== undefined) return described;
    throw new HoldfastError('internal', 'The mover did not say what the environment was made of.');
  } finally {
    await taskRuns.end(mover);
  }
}

/**
 * Has the target's engine fetch what it lacks from registries. Never for what was imported: that would name any host.
 * @throws HoldfastError `image-unknown`
 */
export async function pullImages(
  { docker }: Pick<EnvironmentSurvey, 'docker'>,
  model: Pick<EnvironmentModel, 'containers'>,
  run: JobRun,
): Promise<void> {
  const onPull = (digest: string): void => run.step(`Pulling ${digest}`);
  await pullMissingImages(docker, model, { onPull, signal: run.signal });
}
