import type { BackupSummary, Download } from '@holdfast/protocol';
import type { HandlersOf } from '../../http/handler.ts';
import type { DataProcess } from '../../runner/data-process.ts';
import { toJob } from '../jobs/job-record.ts';
import type { ListedBackups } from './backup-record.ts';
import type { DownloadRequest } from './downloads.ts';
import { cursorText } from './page-cursor.ts';
import type { BackupService } from './service.ts';

type BackupRoutes =
  | 'backup.list'
  | 'backup.get'
  | 'backup.accept'
  | 'backup.log'
  | 'backup.files'
  | 'backup.diff'
  | 'backup.download'
  | 'backup.link'
  | 'backup.linked'
  | 'backup.create'
  | 'backup.restore';

const defaultFiles = 1000;
const defaultDifferences = 10_000;
const defaultLinkSeconds = 3600;

export function backupHandlers(
  service: BackupService,
  dataProcess: Pick<DataProcess, 'handOver'>,
): HandlersOf<BackupRoutes> {
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
    'backup.accept': async ({ params }) => await service.accept(params.backup),
    'backup.log': async ({ params, query }) => ({
      log: await service.log(params.backup, query.of ?? 'backup'),
    }),
    'backup.files': async ({ params, query }) => {
      const { part, path, after, limit = defaultFiles } = query;
      const request = await service.listFiles(params.backup, { part, path, after, limit });
      return (connection) => dataProcess.handOver(request, connection);
    },
    'backup.diff': async ({ params, query }) => {
      const request = await service.diff(params.backup, query.with, query.limit ?? defaultDifferences);
      return (connection) => dataProcess.handOver(request, connection);
    },
    'backup.download': async ({ params, query }) => {
      const request = await service.download(params.backup, toRequest(query));
      return (connection) => dataProcess.handOver(request, connection);
    },
    'backup.link': async ({ params, body: { validForSeconds, ...download } }) =>
      await service.link(params.backup, download, (validForSeconds ?? defaultLinkSeconds) * 1000),
    'backup.linked': async ({ params }) => {
      const { backupId, download } = service.openLink(params.link);
      const request = await service.download(backupId, toRequest(download));
      return (connection) => dataProcess.handOver(request, connection);
    },
    'backup.create': async ({ params, body, caller, signal }) => {
      const { job, backupId, replaces } = await service.create(
        {
          environment: params.environment,
          description: body.description ?? '',
          components: body.components,
          instance: body.instance,
          retention: body.retention,
          allowEmpty: body.allowEmpty ?? false,
          code: body.code ?? true,
          mode: body.mode ?? 'consistent',
          fallback: body.fallback ?? 'fail',
          createdBy: caller.name,
        },
        { signal },
      );
      return { job: toJob(job), backupId, replaces: [...replaces] };
    },
    'backup.restore': async ({ params, body, caller }) => {
      const { target, branchFrom, node, components, paths, instance } = body;
      const { safety = true, dryRun = false, code = true, createExternal = false } = body;
      const { resources = 'backup', allowPrivileges = false } = body;
      const job = await service.restore({
        backup: params.backup,
        target,
        branchFrom,
        node,
        components,
        paths,
        instance,
        safety,
        dryRun,
        code,
        createExternal,
        allowPrivileges,
        resources,
        createdBy: caller.name,
      });
      return { job: toJob(job) };
    },
  };
}

function toRequest({ components, part, path, format = 'tar.zst' }: Download): DownloadRequest {
  return { components: components?.split(','), part, path, format };
}

function toSummary({
  repositoryId: _repository,
  createdBy: _createdBy,
  manifestSnapshotId: _manifest,
  error: _error,
  ...summary
}: ListedBackups['backups'][number]): BackupSummary {
  return summary;
}
