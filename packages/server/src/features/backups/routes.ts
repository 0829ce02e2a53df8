import type { BackupSummary } from '@holdfast/protocol';
import type { HandlersOf } from '../../http/handler.ts';
import { toJob } from '../jobs/job-record.ts';
import type { BackupRecord } from './backup-record.ts';
import { cursorText } from './page-cursor.ts';
import type { BackupService } from './service.ts';

type BackupRoutes =
  | 'backup.list'
  | 'backup.get'
  | 'backup.log'
  | 'backup.create'
  | 'backup.restore'
  | 'backup.delete';

export function backupHandlers(service: BackupService): HandlersOf<BackupRoutes> {
  return {
    'backup.list': async ({ query }) => {
      const { environment, kind, notKind, status, limit, after } = query;
      const page = await service.list({ environment, kind, notKind, status, limit, after });
      return {
        backups: page.backups.map(toSummary),
        next: page.next === null ? null : cursorText(page.next),
      };
    },
    'backup.get': async ({ params }) => await service.get(params.backup),
    'backup.log': async ({ params, query }) => ({
      log: await service.log(params.backup, query.of ?? 'backup'),
    }),
    'backup.create': async ({ params, body, caller, signal }) => {
      const { job, backupId } = await service.create(
        {
          environment: params.environment,
          description: body.description ?? '',
          components: body.components,
          instance: body.instance,
          retention: body.retention,
          allowEmpty: body.allowEmpty ?? false,
          mode: body.mode ?? 'consistent',
          fallback: body.fallback ?? 'fail',
          createdBy: caller.name,
        },
        { signal },
      );
      return { job: toJob(job), backupId };
    },
    'backup.restore': async ({ params, body, caller }) => {
      const { components, instance, safety = true } = body;
      const createdBy = caller.name;
      const job = await service.restore({ backup: params.backup, components, instance, safety, createdBy });
      return { job: toJob(job) };
    },
    'backup.delete': async ({ params, caller }) => ({
      job: toJob(await service.delete(params.backup, caller.name)),
    }),
  };
}

function toSummary({
  repositoryId: _repository,
  createdBy: _createdBy,
  manifestSnapshotId: _manifest,
  error: _error,
  ...summary
}: BackupRecord): BackupSummary {
  return summary;
}
