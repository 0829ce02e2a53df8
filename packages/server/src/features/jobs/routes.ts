import type { HandlersOf } from '../../http/handler.ts';
import type { EnvironmentService } from '../environments/service.ts';
import { toJob } from './job-record.ts';
import type { JobService } from './service.ts';

export function jobHandlers(
  service: JobService,
  environments: Pick<EnvironmentService, 'find'>,
): HandlersOf<'job.list' | 'job.get' | 'job.events' | 'job.cancel'> {
  return {
    'job.list': async ({ query: { environment, state, limit } }) => {
      const environmentId = environment === undefined ? undefined : (await environments.find(environment)).id;
      const jobs = await service.list({ environmentId, state, limit });
      return { jobs: jobs.map(toJob) };
    },
    'job.get': async ({ params }) => toJob(await service.get(params.job)),
    'job.events': async ({ params, signal }) => await service.follow(params.job, { signal }),
    'job.cancel': async ({ params }) => toJob(await service.cancel(params.job)),
  };
}
