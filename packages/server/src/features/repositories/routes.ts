import type { HandlersOf } from '../../http/handler.ts';
import type { EnvironmentService } from '../environments/service.ts';
import type { RepositoryService } from './service.ts';

export function repositoryHandlers(
  service: Pick<RepositoryService, 'list'>,
  environments: Pick<EnvironmentService, 'find'>,
): HandlersOf<'repository.list'> {
  return {
    'repository.list': async ({ query: { environment } }) => {
      const environmentId = environment === undefined ? undefined : (await environments.find(environment)).id;
      return { repositories: [...(await service.list(environmentId))] };
    },
  };
}
