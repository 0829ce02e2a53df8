import { basename, dirname, join } from 'node:path';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { PlannedProject } from './plan-project.ts';
import type { CodeRestore } from './restore-code.ts';

/** Beside a project's Compose files: Compose only reads it where it is named. */
export const pinnedFileName = 'compose.restored.yaml';

export interface NoteCodeOptions {
  readonly run: JobRun;
  readonly survey: EnvironmentSurvey;
  readonly code: CodeRestore;
}

/** Says how to go on from a folder that was put to an older state. */
export function noteFolder({ part: { source }, folder }: PlannedProject, run: Pick<JobRun, 'log'>): void {
  const commit = source.kind === 'code' && source.commitId !== null ? `, at commit ${source.commitId}` : '';
  run.log(
    'info',
    `The project's folder ${folder} is as it was${commit}; its .git is not changed: commit what you see there, or check out the newest and deploy it`,
  );
}

/** Says how to go on from a restored environment, whose images may be older than what would be deployed now. */
export async function noteImages(options: NoteCodeOptions): Promise<void> {
  const { run, code } = options;
  if (code.pinned.size === 0) return;
  const images = [...code.pinned].map(([component, image]) => `${component}: ${image}`).join(', ');
  run.log('info', `Until the next deploy it runs images that are called otherwise by now: ${images}`);
  const command = await writePinned(options);
  if (command !== undefined) run.log('info', `To keep them over the next deploy: ${command}`);
}

/** Answers how to use it; undefined where it cannot be written. */
async function writePinned({
  run,
  survey: { environment, changeFolders },
  code: { pinned },
}: NoteCodeOptions): Promise<string | undefined> {
  const folder = environment?.folder;
  if (folder == null) return undefined;
  const services = Object.fromEntries([...pinned].map(([component, image]) => [component, { image }]));
  // JSON is YAML too.
  const text = `# The images that a restore brought back.\n${JSON.stringify({ services }, undefined, 2)}\n`;
  const path = join(folder, pinnedFileName);
  const written = await changeFolders({ kind: 'write', path, text }, run);
  if (written.kind !== 'done') return undefined;
  const names = (environment?.configFiles ?? []).map((file) =>
    dirname(file) === folder ? basename(file) : file,
  );
  const files = [...names, pinnedFileName].map((name) => `-f ${name}`).join(' ');
  return `cd ${folder} && docker compose ${files} up -d`;
}
