import { HoldfastError } from '@holdfast/base';
import type { HandlersOf } from '../../../http/handler.ts';
import { toJob } from '../../jobs/job-record.ts';
import type { AdoptionService } from './adoption-service.ts';

export function adoptionHandlers(service: AdoptionService): HandlersOf<'vault.adopt'> {
  return {
    'vault.adopt': async ({ params: { vault }, body, caller, signal }) => {
      const { folder, password, environment, dryRun: isDryRun = false } = body;
      const asked = { isDryRun, createdBy: caller.name };
      if (folder !== undefined) {
        const job = await service.adopt(vault, { ...asked, folder, password, environment }, { signal });
        return { jobs: [toJob(job)], broken: [] };
      }
      if (password !== undefined || environment !== undefined) throw withoutFolder();
      const { jobs, broken } = await service.adoptOwn(vault, asked, { signal });
      return { jobs: jobs.map(toJob), broken: [...broken] };
    },
  };
}

function withoutFolder(): HoldfastError {
  return new HoldfastError('usage-invalid', 'A password and an environment are of one folder.', {
    hint: 'Name the folder. Without one, the recovery key of the vault opens what Holdfast has made, which says itself whose it is.',
  });
}
