/** Forgets all but the newest snapshots of each host and paths, and those with the tag `keep`: `RESTIC_PASSWORD=… node forget.ts REPOSITORY COUNT` */
import {
  applyRetention,
  forgetSnapshots,
  groupSnapshots,
  openBackend,
  openRepository,
} from '@holdfast/engine';

const [location = '', count = '7'] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using lock = await repository.lock('shared');

const { snapshots } = await repository.snapshots.list();
const policy = { last: Number(count), tags: [['keep']] };
for (const group of groupSnapshots(snapshots, ['host', 'paths'])) {
  const { keep, remove } = applyRetention(group.snapshots, policy, Date.now());
  for (const { snapshot, reasons } of keep) {
    process.stdout.write(`keep ${snapshot.id.slice(0, 8)}: ${reasons.join(', ')}\n`);
  }
  const { removed } = await forgetSnapshots(
    repository,
    remove.map(({ id }) => id),
    { lock },
  );
  for (const id of removed) process.stdout.write(`forgot ${id.slice(0, 8)}\n`);
}
