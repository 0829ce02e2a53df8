import { randomBytes } from 'node:crypto';
import { openBackend } from '../backend/open-backend.ts';
import { openRepository } from '../repository/open-repository.ts';
import { snapshotOf } from './test-repository.ts';

/**
 * A process to be killed: writes blobs and snapshots into the repository that its first argument names, with the
 * password of its second, and tells the id of each snapshot on a line of its own, until it ends.
 */
const [location = '', password = ''] = process.argv.slice(2);
const repository = await openRepository({ backend: openBackend(location), password });
await using lock = await repository.lock('shared');
await using writer = await repository.openWriter({ lock });
for (;;) {
  const bytes = randomBytes(1 + (randomBytes(3).readUIntLE(0, 3) % 3_000_000));
  const { id } = await writer.saveBlob('data', bytes);
  const times =
    '"mtime":"2026-01-01T00:00:00Z","atime":"2026-01-01T00:00:00Z","ctime":"2026-01-01T00:00:00Z"';
  const node = `{"name":"file","type":"file","mode":420,${times},"uid":0,"gid":0,"size":${bytes.length},"content":["${id}"]}`;
  const { id: tree } = await writer.saveBlob('tree', Buffer.from(`{"nodes":[${node}]}\n`));
  await writer.flush();
  const snapshot = await repository.snapshots.save(snapshotOf(tree), { lock });
  process.stdout.write(`${snapshot.id}\n`);
}
