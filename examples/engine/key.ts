/** Gives a repository a second password, and lists its keys: `RESTIC_PASSWORD=… NEW_PASSWORD=… node key.ts REPOSITORY` */
import { openBackend, openRepository } from '@holdfast/engine';

const [location = ''] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});

await repository.keys.add(process.env.NEW_PASSWORD ?? '');
for (const { id, created, username, isCurrent } of await repository.keys.list()) {
  process.stdout.write(`${id.slice(0, 8)}  ${created}  ${username}${isCurrent ? '  (in use)' : ''}\n`);
}
