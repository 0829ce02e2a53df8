/** Removes the locks of processes that are gone: `RESTIC_PASSWORD=… node unlock.ts REPOSITORY` */
import { openBackend, openRepository } from '@holdfast/engine';

const [location = ''] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});

process.stdout.write(`removed ${await repository.unlock()} locks\n`);
