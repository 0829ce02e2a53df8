import { type Abortable, type Clock, HoldfastError } from '@holdfast/base';
import { type BackupId, componentsOfPart, type UploadId } from '@holdfast/protocol';
import type { Catalog } from '../../../catalog/catalog.ts';
import type { Ids } from '../../../catalog/ids.ts';
import type { Sealer } from '../../../secrets/sealer.ts';
import { requireNotDeleted } from '../../environments/deletion.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import type { JobService } from '../../jobs/service.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { UploadService } from '../../uploads/service.ts';
import type { BackupStore } from '../store.ts';
import { importPlaces, requireImportPossible } from './plan-import.ts';

export interface ImportRequest {
  /** Id or name. */
  readonly environment: string;
  readonly source:
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'upload'; readonly uploadId: UploadId };
  /** Null: of any. */
  readonly component: string | null;
  readonly part: string | null;
  readonly description: string;
  readonly createdBy: string;
}

/** Imports as users ask for them. What is asked for is checked and queued here; the work itself is a job's. */
export interface ImportService {
  /**
   * @throws HoldfastError `environment-unknown`, `environment-ambiguous`, `environment-deleted`, `environment-busy`,
   *   `component-unknown`, `import-refused`, `upload-unknown`, `url-refused`, `docker-unreachable`
   */
  create(
    request: ImportRequest,
    options?: Abortable,
  ): Promise<{ readonly job: JobRecord; readonly backupId: BackupId }>;
}

export interface ImportServiceOptions {
  readonly catalog: Catalog;
  readonly store: BackupStore;
  readonly jobs: JobService;
  readonly environments: EnvironmentService;
  readonly repositories: RepositoryService;
  readonly uploads: UploadService;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createImportService(options: ImportServiceOptions): ImportService {
  const { catalog, store, jobs, environments, repositories, uploads, sealer, clock, ids } = options;
  return {
    create: async ({ source, component, part, ...request }, { signal } = {}) => {
      if (source.kind === 'url') requireHttp(source.url);
      else await uploads.use(source.uploadId);
      const survey = await environments.survey(request.environment, { signal });
      requireNotDeleted(survey.record);
      requireImportPossible(survey, { component, part });
      const environment = survey.record;
      const id = ids.backup();
      const components = component === null ? importPlaces(survey).flatMap(componentsOfPart) : [component];
      const job = await catalog.write(async (tx) => {
        const repositoryId = await repositories.ensureFor(environment, tx);
        const queued = await jobs.enqueue(
          {
            kind: 'import',
            environmentId: environment.id,
            backupId: id,
            request: {
              kind: 'import',
              source:
                source.kind === 'url'
                  ? { kind: 'url', sealedUrl: sealer.seal(source.url, id) }
                  : { kind: 'upload', uploadId: source.uploadId },
              component,
              part,
            },
            createdBy: request.createdBy,
          },
          tx,
        );
        await store.create(
          {
            id,
            environmentId: environment.id,
            repositoryId,
            jobId: queued.id,
            kind: 'imported',
            // Nobody can tell whether what it holds was of one moment.
            mode: 'live',
            description: request.description,
            components: [...new Set(components)].sort(),
            createdBy: request.createdBy,
            createdAtMs: clock.now(),
            expiresAtMs: null,
          },
          tx,
        );
        return queued;
      });
      jobs.wake();
      return { job, backupId: id };
    },
  };
}

/** Found out now rather than by the job; where it leads to is for that to see. */
function requireHttp(text: string): void {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new HoldfastError('url-refused', 'This is no http or https URL.', {
    hint: 'Write http://… or https://…, or upload the file.',
  });
}
