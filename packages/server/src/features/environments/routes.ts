import type { EnvironmentSummary } from '@holdfast/protocol';
import type { HandlersOf } from '../../http/handler.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import type { EnvironmentService } from './service.ts';
import { writesOutsideMounts } from './writes-outside-mounts.ts';

export function environmentHandlers(
  service: EnvironmentService,
): HandlersOf<'environment.list' | 'environment.get'> {
  return {
    'environment.list': async ({ signal }) => {
      const records = await service.list({ signal });
      return {
        environments: records.map((record) => ({
          ...toSummary(record),
          components: record.seen.components.map((component) => component.name),
        })),
      };
    },
    'environment.get': async ({ params, signal }) => {
      const survey = await service.survey(params.environment, { signal });
      const { record } = survey;
      return {
        ...toSummary(record),
        ...record.seen,
        writesOutsideMounts: await writesOutsideMounts(survey, { signal }),
        unfinishedRestore: record.unfinishedRestore,
      };
    },
  };
}

function toSummary(record: EnvironmentRecord): Omit<EnvironmentSummary, 'components'> {
  const { id, name, project, type, state, nodeId, nodeName, folder, lastBackupAtMs } = record;
  return { id, name, project, type, state, nodeId, nodeName, folder, lastBackupAtMs };
}
