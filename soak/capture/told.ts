import type { AppEnvironment } from '../../bench/environment/app-environment.ts';
import { docker } from '../../e2e/support/compose.ts';
import { eventually } from '../../e2e/support/process.ts';
import type { Commit, Found } from './subject.ts';

const found = 'found ';
const rows = 'rows ';

/**
 * What a program in a container told that it committed, see `programs/commit-teller.ts`: since it was started last, which
 * was after that time.
 */
export async function toldCommits(
  environment: AppEnvironment,
  service: string,
  sinceMs: number,
): Promise<readonly Commit[]> {
  const lines = await linesSince(environment, service, sinceMs);
  const startedAt = lines.findLastIndex((line) => line.startsWith(found));
  if (startedAt === -1) throw new Error(`${service} was not started since.`);
  return lines.slice(startedAt).flatMap((line) => {
    const [word, id, startedMs, endedMs] = line.split(' ');
    if (word !== 'commit' || endedMs === undefined) return [];
    return [{ id: Number(id), startedMs: Number(startedMs), endedMs: Number(endedMs) }];
  });
}

interface ToldFound {
  readonly problems: readonly string[];
  readonly count?: number;
}

/** What the program found when it was started last, since that time. Of a count, those of the commits that it includes. */
export async function toldFound(
  environment: AppEnvironment,
  service: string,
  { sinceMs, commits }: { readonly sinceMs: number; readonly commits: readonly Commit[] },
): Promise<Found> {
  const told = await eventually(`${service} starts`, async () => {
    const lines = await linesSince(environment, service, sinceMs);
    const end = lines.findLastIndex((line) => line.startsWith(found));
    return end === -1 ? undefined : lines.slice(lines.lastIndexOf('started', end), end + 1);
  });
  const { problems, count } = JSON.parse((told.at(-1) ?? '').slice(found.length)) as ToldFound;
  if (count !== undefined) return { problems, rows: commits.filter(({ id }) => id <= count) };
  const pairs = told
    .filter((line) => line.startsWith(rows))
    .flatMap((line) => JSON.parse(line.slice(rows.length)) as readonly (readonly [number, number])[]);
  return { problems, rows: pairs.map(([id, startedMs]) => ({ id, startedMs })) };
}

/** Whole lines alone: of the last one the engine may not have logged all yet. */
async function linesSince(
  environment: AppEnvironment,
  service: string,
  sinceMs: number,
): Promise<readonly string[]> {
  const since = (sinceMs / 1000).toFixed(3);
  const log = await docker('logs', '--since', since, environment.container(service));
  return log.split('\n').slice(0, -1);
}
