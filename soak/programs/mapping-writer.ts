/**
 * Runs in a container: `mapping-writer FOLDER` counts up through shared mappings for ever: one counter at both ends of a page,
 * then the same in another file. Whenever it stands still, each counter is the one before it, or one less. A store into a
 * mapping changes the file and, mostly, none of its times.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SharedMapping } from '../../packages/engine/src/testing/shared-mapping.ts';
import { now, tellCommit, tellFound } from './commit-teller.ts';

const pageBytes = 4096;
const offsets = [0, pageBytes - 8];
const countsPerTurn = 1000;
const [folder = ''] = process.argv.slice(2);
const paths = ['first', 'second'].map((name) => join(folder, name));

/** In the order in which they are counted up. */
function counters(pages: readonly Uint8Array[]): readonly BigUint64Array[] {
  return pages.flatMap((page) =>
    offsets.map((offset) => new BigUint64Array(page.buffer, page.byteOffset + offset, 1)),
  );
}

process.on('SIGTERM', () => process.exit());
for (const path of paths) if (!existsSync(path)) writeFileSync(path, new Uint8Array(pageBytes));
look();
await write();

function look(): void {
  const pages = paths.map((path) => new Uint8Array(readFileSync(path)));
  const values = counters(pages).map((counter) => Number(counter[0]));
  const isOrdered = values.every((value, position) => {
    const before = values[position - 1] ?? value;
    return value === before || value === before - 1;
  });
  const steps = (values[0] ?? 0) - (values.at(-1) ?? 0);
  const problems = isOrdered && steps <= 1 ? [] : [`the counters are ${values.join(', ')}`];
  tellFound({ problems, count: values.at(-1) ?? 0 });
}

async function write(): Promise<void> {
  const mappings = paths.map((path) => new SharedMapping(path));
  const all = counters(mappings.map(({ bytes }) => bytes));
  for (;;) {
    const startedMs = now();
    for (let count = 0; count < countsPerTurn; count += 1) {
      for (const counter of all) counter[0] = (counter[0] ?? 0n) + 1n;
    }
    tellCommit(Number(all.at(-1)?.[0] ?? 0n), startedMs);
    await delay(1);
  }
}
