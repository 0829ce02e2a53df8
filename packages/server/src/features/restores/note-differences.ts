import type { EnvironmentModel } from '@holdfast/docker';
import type { JobRun } from '../jobs/execution/job-handler.ts';

/** Says what the next deploy would change of what comes back. */
export function noteDifferences(
  { composeDifferences }: Pick<EnvironmentModel, 'composeDifferences'>,
  run: Pick<JobRun, 'log'>,
): void {
  for (const [component, fields] of Object.entries(composeDifferences ?? {})) {
    run.log(
      'info',
      `${component} was not as its Compose files said, which docker compose up will change: ${fields.join(', ')}`,
    );
  }
}
