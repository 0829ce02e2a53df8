import { openBackend } from '../backend/open-backend.ts';
import { openRepository } from '../repository/open-repository.ts';
import { restoreNode } from '../snapshot/restore.ts';
import { say } from './say.ts';

/**
 * A process that restores `data` of the newest snapshot, and may be killed at it: repository, password, target.
 * Writes a dot for each file that it has restored.
 */
const [location = '', password = '', targetPath = ''] = process.argv.slice(2);
const repository = await openRepository({ backend: openBackend(location), password });
await repository.refreshIndex();
const { tree } = await repository.snapshots.find('latest');
let dots = 0;
const { failureCount, failures } = await restoreNode({
  blobs: repository.blobs,
  treeId: tree,
  nodePath: ['data'],
  targetPath,
  progress: {
    report: ({ files }) => {
      say('.'.repeat(files - dots));
      dots = files;
    },
  },
  options: { deleteExtraneous: true, syncTarget: false },
});
for (const { path, message } of failures) process.stderr.write(`${path}: ${message}\n`);
process.exitCode = failureCount === 0 ? 0 : 1;
