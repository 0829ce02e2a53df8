import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { openBackend } from '../backend/open-backend.ts';
import { openRepository } from '../repository/open-repository.ts';
import { TellingBackend } from './crash/telling-backend.ts';
import { say } from './say.ts';
import { snapshotOf } from './test-repository.ts';

/**
 * A process that writes into a repository for as long as it is let: repository, password. It says `packed` when packs
 * are on storage that no index names yet; on any line of input it saves its snapshot and says its id, or the code of
 * what went wrong.
 */
const [location = '', password = ''] = process.argv.slice(2);
process.on('SIGHUP', () => {});

/** In two open packs of 16 MiB at most: one has to be full. */
const enoughBlobs = 36;
const blobBytes = 1 << 20;
let packs = 0;

const backend = new TellingBackend(openBackend(location), ({ call, kind, hasEnded }) => {
  if (call === 'save' && kind === 'data' && hasEnded) packs += 1;
});
const repository = await openRepository({ backend, password });
await using lock = await repository.lock('shared');
await using writer = await repository.openWriter({ lock });

const ids: string[] = [];
for (let blob = 0; blob < enoughBlobs; blob += 1) {
  ids.push((await writer.saveBlob('data', randomBytes(blobBytes))).id);
}
while (packs === 0) await new Promise((resolve) => setTimeout(resolve, 10));
say('packed\n');
await new Promise((resolve) => createInterface(process.stdin).once('line', resolve));
try {
  const times =
    '"mtime":"2026-01-01T00:00:00Z","atime":"2026-01-01T00:00:00Z","ctime":"2026-01-01T00:00:00Z"';
  const size = enoughBlobs * blobBytes;
  const node = `{"name":"file","type":"file","mode":420,${times},"uid":0,"gid":0,"size":${size},"content":${JSON.stringify(ids)}}`;
  const { id: tree } = await writer.saveBlob('tree', Buffer.from(`{"nodes":[${node}]}\n`));
  await writer.flush();
  say(`${(await repository.snapshots.save(snapshotOf(tree), { lock })).id}\n`);
} catch (error) {
  say(`${typeof error === 'object' && error !== null && 'code' in error ? error.code : error}\n`);
}
process.stdin.destroy();
