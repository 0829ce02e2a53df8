/** Makes a repository: `RESTIC_PASSWORD=… node init.ts REPOSITORY` */
import { initRepository, openBackend } from '@holdfast/engine';

const [location = ''] = process.argv.slice(2);
const password = process.env.RESTIC_PASSWORD ?? '';

const repository = await initRepository({ backend: openBackend(location), passwords: [password] });
process.stdout.write(`${repository.id}\n`);
