/** Proves every byte of a repository, or of the n-th of t parts: `RESTIC_PASSWORD=… node check.ts REPOSITORY [N T]` */
import { checkRepository, openBackend, openRepository } from '@holdfast/engine';

const [location = '', part, parts] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using _lock = await repository.lock('shared');

const dataSubset =
  part === undefined || parts === undefined ? undefined : { part: Number(part), parts: Number(parts) };
let errors = 0;
for await (const finding of checkRepository(repository, { readData: true, dataSubset })) {
  if (finding.severity === 'error') errors += 1;
  process.stderr.write(`${JSON.stringify(finding)}\n`);
}
process.stdout.write(`${errors} errors\n`);
process.exitCode = errors === 0 ? 0 : 1;
