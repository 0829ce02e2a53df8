import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newFolder } from '../environment/capture-bench.ts';
import { type FileSystem, mountLoop } from '../environment/loop-file-system.ts';
import { PgbenchLoad } from '../environment/pgbench-load.ts';
import { PostgresService } from '../environment/postgres.ts';
import { type Bench, type BenchCase, SkippedCase } from '../lib/bench.ts';
import type { Figure } from '../lib/figure.ts';
import { measureFreeze, startChanging, twentyThousandFiles } from './freeze.ts';

const mostSeconds = 1;
/** Each makes about 15 MiB. */
const scalePerGiB = 66;
const loopGiB = 30;
const leastLoopGiB = 1;
const gibibyte = 1024 ** 3;

export const freezePostgresCases: readonly BenchCase[] = [1, 6].flatMap((gibibytes) =>
  ([undefined, 'xfs', 'btrfs'] as const).map((fileSystem) => postgresCase(gibibytes, fileSystem)),
);

function postgresCase(gibibytes: number, fileSystem: FileSystem | undefined): BenchCase {
  const name = ['freeze-postgres', ...(gibibytes === 1 ? [] : [`${gibibytes}-gib`]), fileSystem ?? []]
    .flat()
    .join('-');
  return {
    name,
    summary: `the same with ${gibibytes} GiB of PostgreSQL under pgbench among them${fileSystem === undefined ? '' : `, on ${fileSystem}`}`,
    inputs: fileSystem === undefined ? [twentyThousandFiles] : [],
    isLong: gibibytes > 1 || fileSystem !== undefined,
    freeGiB: 35 + 2 * gibibytes,
    run: async (bench) => {
      if (fileSystem === undefined) return await onOwnFolder(bench, { name, gibibytes });
      return await onLoop(bench, fileSystem, { name, gibibytes });
    },
  };
}

interface PostgresCase {
  readonly name: string;
  readonly gibibytes: number;
}

async function onOwnFolder(bench: Bench, one: PostgresCase): Promise<readonly Figure[]> {
  const { path, description } = await bench.prepare(twentyThousandFiles);
  using vault = newFolder(bench);
  const folder = dirname(path);
  rmSync(join(folder, 'db'), { recursive: true, force: true });
  try {
    return await measureWithPostgres(bench, one, { folder, vault: vault.path, description });
  } finally {
    rmSync(join(folder, 'db'), { recursive: true, force: true });
  }
}

async function onLoop(bench: Bench, kind: FileSystem, one: PostgresCase): Promise<readonly Figure[]> {
  if (process.getuid?.() !== 0) throw new SkippedCase('Only root mounts file systems.');
  using near = newFolder(bench);
  const sizeBytes = Math.max(leastLoopGiB, (loopGiB + 2 * one.gibibytes) * bench.scale) * gibibyte;
  await using loop = await mountLoop(kind, { path: join(near.path, kind), sizeBytes });
  const folder = join(loop.path, 'app');
  bench.say(`  making the files on ${kind}`);
  const description = await twentyThousandFiles.build(join(folder, 'content'), bench);
  return await measureWithPostgres(bench, one, { folder, vault: join(loop.path, 'holdfast'), description });
}

interface Place {
  readonly folder: string;
  readonly vault: string;
  readonly description: object;
}

async function measureWithPostgres(
  bench: Bench,
  { name, gibibytes }: PostgresCase,
  { folder, vault, description }: Place,
): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const scale = Math.max(1, Math.round(scalePerGiB * gibibytes * bench.scale));
  return await measureFreeze(bench, {
    name,
    mostSeconds,
    folder,
    vault,
    description: { ...description, pgbench_scale: scale },
    start: async (environment) => {
      await startChanging(environment);
      const postgres = await PostgresService.start(environment);
      bench.say('  filling PostgreSQL');
      await postgres.program('pgbench', '--initialize', '--quiet', '--scale', String(scale), 'postgres');
      const load = stack.use(new PgbenchLoad(postgres.port));
      return async () => {
        await postgres.untilReady();
        await load.start();
      };
    },
  });
}
