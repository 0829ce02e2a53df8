/** Lists the files of a snapshot: `RESTIC_PASSWORD=… node ls.ts REPOSITORY ID|latest` */
import { byteStringToText, openBackend, openRepository, walkTree } from '@holdfast/engine';

const [location = '', reference = 'latest'] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using _lock = await repository.lock('shared');

const { tree } = await repository.snapshots.find(reference);
await repository.refreshIndex();
for await (const { path, node } of walkTree({ blobs: repository.blobs, treeId: tree })) {
  process.stdout.write(`${node.type}  ${node.size}  ${byteStringToText(path)}\n`);
}
