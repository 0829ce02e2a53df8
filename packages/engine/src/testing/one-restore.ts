import { writeSync } from 'node:fs';
import { openBackend } from '../backend/open-backend.ts';
import { openRepository } from '../repository/open-repository.ts';
import { restoreNode } from '../snapshot/restore.ts';

/**
 * A process that restores `data` of the newest snapshot, and may be killed at it: repository, password, target.
 * Writes a dot for each file that it has restored.
 */
const [location = '', password = '', targetPath = ''] = process.argv.slice(2);
const repository = await openRepository({ backend: openBackend(location), password });
await repository.refreshIndex();
const { tree } = await repository.snapshots.find('latest');
let dots = 0;
const { failureCount } = await restoreNode({
  blobs: repository.blobs,
  treeId: tree,
  nodePath: ['data'],
  targetPath,
  progress: {
    report: ({ files }) => {
      writeSync(process.stdout.fd, '.'.repeat(files - dots));
      dots = files;
    },
  },
  options: { deleteExtraneous: true, syncTarget: false },
});
process.exitCode = failureCount === 0 ? 0 : 1;
