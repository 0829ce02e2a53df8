import type { AppEnvironment } from '../../bench/environment/app-environment.ts';
import { docker } from '../../e2e/support/compose.ts';
import { eventually } from '../../e2e/support/process.ts';
import type { Commit, Found } from './subject.ts';

/** What a program in a container told that it committed, see `programs/commit-teller.ts`. */
export async function toldCommits(
  environment: AppEnvironment,
  service: string,
  sinceMs: number,
): Promise<readonly Commit[]> {
  return (await linesSince(environment, service, sinceMs)).flatMap((line) => {
    const [word, id, startedMs, endedMs] = line.split(' ');
    if (word !== 'commit' || endedMs === undefined) return [];
    return [{ id: Number(id), startedMs: Number(startedMs), endedMs: Number(endedMs) }];
  });
}

interface ToldFound {
  readonly problems: readonly string[];
  readonly rows?: readonly (readonly [number, number])[];
  readonly count?: number;
}

/** What the program found when it was started last, since that time. Of a count, those of the commits that it includes. */
export async function toldFound(
  environment: AppEnvironment,
  service: string,
  { sinceMs, commits }: { readonly sinceMs: number; readonly commits: readonly Commit[] },
): Promise<Found> {
  const line = await eventually(`${service} starts`, async () =>
    (await linesSince(environment, service, sinceMs)).findLast((one) => one.startsWith('found ')),
  );
  const { problems, rows, count = 0 } = JSON.parse(line.slice('found '.length)) as ToldFound;
  if (rows === undefined) return { problems, rows: commits.filter(({ id }) => id <= count) };
  return { problems, rows: rows.map(([id, startedMs]) => ({ id, startedMs })) };
}

/** Whole lines alone: of a long one the engine may have logged only its first pieces yet. */
async function linesSince(
  environment: AppEnvironment,
  service: string,
  sinceMs: number,
): Promise<readonly string[]> {
  const since = (sinceMs / 1000).toFixed(3);
  const log = await docker('logs', '--since', since, environment.container(service));
  return log.split('\n').slice(0, -1);
}
