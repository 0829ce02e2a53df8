import { HoldfastError } from '@holdfast/base';
import type { UploadId } from '@holdfast/protocol';
import type { HandlersOf } from '../../../http/handler.ts';
import { toJob } from '../../jobs/job-record.ts';
import type { ImportRequest, ImportService } from './import-service.ts';

export function importHandlers(service: ImportService): HandlersOf<'import.create'> {
  return {
    'import.create': async ({ params, body, caller, signal }) => {
      const { component = null, part = null, description = '' } = body;
      const request = {
        environment: params.environment,
        source: sourceOf(body),
        component,
        part,
        description,
      };
      const { job, backupId } = await service.create({ ...request, createdBy: caller.name }, { signal });
      return { job: toJob(job), backupId };
    },
  };
}

interface GivenSource {
  readonly url?: string | undefined;
  readonly upload?: UploadId | undefined;
}

function sourceOf({ url, upload }: GivenSource): ImportRequest['source'] {
  if (url !== undefined) return { kind: 'url', url };
  if (upload !== undefined) return { kind: 'upload', uploadId: upload };
  throw new HoldfastError('internal', 'The route let a request without a source pass.');
}
