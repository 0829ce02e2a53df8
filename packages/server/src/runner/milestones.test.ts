import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { eventLines } from './event-lines.ts';
import { readMilestones } from './milestones.ts';

const stamp = { taskId: 'tsk_0123456789abcdef', epoch: 1, timeMs: 5 };
const started = { ...stamp, type: 'started', pid: 7, bootId: 'b', startTicks: '9' };
const committed = { ...stamp, type: 'committed', manifest: null, manifestSnapshotId: null };
const result = { ...stamp, type: 'result', outcome: 'done', error: null, warnings: [] };

test('a task that never began has none', async () => {
  expect(await readMilestones('/nowhere/at/all')).toEqual({});
});

test('lines that were cut off are passed over, whatever comes after them', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'events.jsonl');
  await writeFile(path, `${JSON.stringify(started)}\n${JSON.stringify(committed).slice(0, 20)}\n`);
  expect(await readMilestones(path)).toEqual({ started });
  await appendFile(path, `${JSON.stringify(committed)}\n${JSON.stringify(result).slice(0, 30)}`);
  expect(await readMilestones(path)).toEqual({ started, committed });
});

test('lines are put together from pieces of any size', async () => {
  const text = Buffer.from('eins\nzwölf\n\nlast without an end');
  for (const size of [1, 2, 5, 100]) {
    const lines: string[] = [];
    for await (const line of eventLines(pieces(text, size))) lines.push(line);
    expect(lines).toEqual(['eins', 'zwölf', '']);
  }
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
