import { HoldfastError } from '@holdfast/base';
import type { BackupMode, BackupTask } from '@holdfast/protocol';
import type { Milestones } from '../../../runner/milestones.ts';
import type { PlacedParts } from '../../../runner/place-parts.ts';
import type { EnvironmentRecord } from '../../environments/environment-record.ts';
import type { TaskBase } from '../../jobs/execution/task-runs.ts';
import type { OpenedRepository } from '../../repositories/service.ts';
import type { BackupWithParts, CommittedBackup } from '../backup-record.ts';
import type { CapturePart } from './plan-capture.ts';
import { codeTask, noCode, type PlannedCode } from './plan-code.ts';

export interface PlannedBackup {
  readonly backup: BackupWithParts;
  /** It may be another than was asked for. */
  readonly mode: BackupMode;
  readonly environment: EnvironmentRecord;
  readonly access: OpenedRepository;
  readonly parts: readonly CapturePart[];
  readonly placed: PlacedParts;
  readonly commands: BackupTask['commands'];
  /** Undefined: only data. */
  readonly code?: PlannedCode;
}

/** What a mover is told of a backup that it is to take. */
export function backupTask(planned: PlannedBackup, base: TaskBase): BackupTask {
  const { access, parts, placed, commands, code: { code, images } = noCode } = planned;
  const { repository, isInitialized, recoveryPassword } = access;
  return {
    ...base,
    kind: 'backup',
    repository,
    manifest: manifestOf(planned),
    initialize: isInitialized ? null : { recoveryPassword },
    parts: parts.map((part) => toTaskPart(part, placed)),
    commands,
    code: code === null ? null : codeTask(code, placed),
    images,
  };
}

/**
 * What a mover committed.
 * @throws HoldfastError `mover-failed` when it committed nothing that can be named
 */
export function committedBackup({ committed }: Milestones): CommittedBackup {
  const { manifest, manifestSnapshotId } = committed ?? {};
  if (manifest == null || manifestSnapshotId == null) {
    throw new HoldfastError('mover-failed', 'The mover committed a backup without naming its manifest.');
  }
  const { mode, capture, parts, finishedAtMs } = manifest;
  return { mode, capture, parts, manifestSnapshotId, finishedAtMs };
}

function toTaskPart(part: CapturePart, { paths }: PlacedParts): BackupTask['parts'][number] {
  const { partName: _partName, place: _place, ...spec } = part;
  const path = paths.get(part.name);
  if (path === undefined) throw new HoldfastError('internal', `The path of ${part.name} was not found.`);
  return { ...spec, path };
}

/** All that is known of a backup before it is taken. */
export function manifestOf({
  backup,
  mode,
  environment,
}: Pick<PlannedBackup, 'backup' | 'mode' | 'environment'>): BackupTask['manifest'] {
  const { id, kind, description, createdAtMs, expiresAtMs, createdBy } = backup;
  const { name, type, nodeName, folder } = environment;
  return {
    version: 1,
    revision: 1,
    backupId: id,
    kind,
    mode,
    description,
    environment: { id: environment.id, name, type, node: nodeName, folder },
    createdAtMs,
    expiresAtMs,
    createdBy,
    policy: null,
    pinReason: null,
  };
}
