/** Removes what no snapshot needs; with `--dry-run` it only shows: `RESTIC_PASSWORD=… node prune.ts REPOSITORY` */
import { executePrune, openBackend, openRepository, planPrune } from '@holdfast/engine';

const [location = '', option] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using lock = await repository.lock('exclusive');

// The plan is made of what was just read, and holds as long as the lock does.
const plan = await planPrune(repository, { lock, maxUnused: { percent: 5 } });
const { packs, bytes } = plan.figures;
process.stdout.write(
  `keep ${packs.kept}, repack ${packs.repacked}, remove ${packs.removed + packs.unreferenced} packs, free ${bytes.freed} bytes\n`,
);
if (option !== '--dry-run') {
  const { packsRemoved, bytesFreed } = await executePrune(plan);
  process.stdout.write(`removed ${packsRemoved} packs, freed ${bytesFreed} bytes\n`);
}
