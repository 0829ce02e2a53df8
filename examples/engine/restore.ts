/** Restores a snapshot into a directory: `RESTIC_PASSWORD=… node restore.ts REPOSITORY ID|latest TARGET` */
import { resolve } from 'node:path';
import { openBackend, openRepository, restoreSnapshot } from '@holdfast/engine';

const [location = '', reference = 'latest', target = ''] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using _lock = await repository.lock('shared');

const { tree } = await repository.snapshots.find(reference);
await repository.refreshIndex();
const { summary, failures } = await restoreSnapshot({
  blobs: repository.blobs,
  treeId: tree,
  targetDirectory: resolve(target),
  options: { overwrite: 'if-changed', deleteExtraneous: true },
});
for (const { path, message } of failures) process.stderr.write(`${path}: ${message}\n`);
process.stdout.write(`${summary.files} files, ${summary.bytes} bytes\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
