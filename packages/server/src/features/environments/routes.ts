import type { ComponentDetails, EnvironmentSummary } from '@holdfast/protocol';
import type { HandlersOf } from '../../http/handler.ts';
import { deletionOf } from './deletion.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import { type EnvironmentService, requireComponent } from './service.ts';
import type { EnvironmentSurvey } from './survey.ts';
import { writesOutsideMounts } from './writes-outside-mounts.ts';

export function environmentHandlers(
  service: EnvironmentService,
): HandlersOf<'environment.list' | 'environment.get' | 'component.get' | 'component.update'> {
  return {
    'environment.list': async ({ signal }) => {
      const records = await service.list({ signal });
      return {
        environments: records.map((record) => ({
          ...toSummary(record),
          isReachable: record.isReachable,
          components: record.seen.components.map((component) => component.name),
        })),
      };
    },
    'environment.get': async ({ params, signal }) => {
      const survey = await service.survey(params.environment, { signal });
      const { record } = survey;
      return {
        ...toSummary(record),
        isReachable: true,
        ...record.seen,
        commands: [...survey.commands].flatMap(([component, { backup, restore }]) =>
          backup === undefined && restore === undefined
            ? []
            : [{ component, backup: backup !== undefined, restore: restore !== undefined }],
        ),
        writesOutsideMounts: await writesOutsideMounts(survey, { signal }),
        unfinishedRestore: record.unfinishedRestore,
        deletedComponents: record.deletedComponents.map(({ name, deletedAtMs }) => {
          return { name, ...deletionOf(deletedAtMs) };
        }),
      };
    },
    'component.get': async ({ params: { environment, component }, signal }) =>
      toDetails(await service.survey(environment, { signal }), component),
    'component.update': async ({ params: { environment, component }, body, signal }) => {
      const change = body.integrations.backups;
      return toDetails(await service.changeComponent(environment, component, change, { signal }), component);
    },
  };
}

function toDetails({ record, commands }: EnvironmentSurvey, name: string): ComponentDetails {
  const { instances } = requireComponent(record, name);
  const backups = commands.get(name)?.integration ?? { preset: null, retention: null };
  return { name, environmentName: record.name, instances, integrations: { backups } };
}

function toSummary(record: EnvironmentRecord): Omit<EnvironmentSummary, 'components' | 'isReachable'> {
  const { id, name, project, type, state, nodeId, nodeName, folder, lastBackupAtMs } = record;
  const deletion = record.deletedAtMs === null ? null : deletionOf(record.deletedAtMs);
  return { id, name, project, type, state, nodeId, nodeName, folder, lastBackupAtMs, deletion };
}
