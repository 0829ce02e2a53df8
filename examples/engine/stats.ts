/** Counts what the snapshots hold, restored and in the repository: `RESTIC_PASSWORD=… node stats.ts REPOSITORY` */
import { collectStatistics, openBackend, openRepository } from '@holdfast/engine';

const [location = ''] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using _lock = await repository.lock('shared');

const { snapshots } = await repository.snapshots.list();
await repository.refreshIndex();
for (const mode of ['restore-size', 'raw-data'] as const) {
  const { snapshotCount, totalBytes } = await collectStatistics(repository, { snapshots, mode });
  process.stdout.write(`${mode}: ${totalBytes} bytes in ${snapshotCount} snapshots\n`);
}
