/** Lists snapshots, the oldest first: `RESTIC_PASSWORD=… node snapshots.ts REPOSITORY` */
import { formatTimestamp, openBackend, openRepository } from '@holdfast/engine';

const [location = ''] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});

const { snapshots, damaged } = await repository.snapshots.list();
for (const { id, time, hostname, paths } of snapshots) {
  process.stdout.write(`${id.slice(0, 8)}  ${formatTimestamp(time)}  ${hostname}  ${paths.join(', ')}\n`);
}
for (const { id, error } of damaged) process.stderr.write(`${id}: ${error.message}\n`);
