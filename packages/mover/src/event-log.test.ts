import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { systemClock } from '@holdfast/base';
import type { MoverEvent } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';
import { ServerChannel } from './server-channel.ts';
import { TaskContext } from './task-context.ts';
import { testPlace } from './testing/task-specs.ts';

async function openLog(copy: Writable = new PassThrough()) {
  const place = await testPlace();
  const task = place.backup([]);
  const events = new EventLog(task.eventsPath, copy);
  const context = new TaskContext({
    task,
    events,
    channel: new ServerChannel(new PassThrough()),
    clock: systemClock,
  });
  const written = (): MoverEvent[] =>
    readFileSync(task.eventsPath, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { task, context, written, place, events };
}

test('events go to a file of the owner alone, and then to the output', async () => {
  const output = new PassThrough();
  const { task, context, written, place } = await openLog(output);
  await using _ = place;
  context.info('hello');
  context.committed(null, null);
  expect(statSync(task.eventsPath).mode & 0o777).toBe(0o600);
  expect(written()).toMatchObject([
    { type: 'log', taskId: task.taskId, epoch: 1, line: { level: 'info', message: 'hello' } },
    { type: 'committed' },
  ]);
  expect(String(output.read())).toBe(readFileSync(task.eventsPath, 'utf8'));
});

test('an output that nobody reads holds nothing up, and keeps no progress', async () => {
  const stuck = new Writable({ write: () => {}, highWaterMark: 1 });
  const { context, written, place, events } = await openLog(stuck);
  await using _ = place;
  const message = 'x'.repeat(600_000);
  context.info(message);
  context.info(message);
  const waitingBytes = stuck.writableLength;
  const { taskId, epoch, timeMs } = written()[0] ?? { taskId: '', epoch: 0, timeMs: 0 };
  const progress = { phase: 'backup', part: null, files: 0, filesTotal: null, bytes: 0, bytesTotal: null };
  events.emit({ type: 'progress', taskId, epoch, timeMs, progress } as MoverEvent);
  expect(stuck.writableLength).toBe(waitingBytes);
  expect(written().map(({ type }) => type)).toEqual(['log', 'log', 'progress']);
});

test('a hundred warnings are listed, and the others counted', async () => {
  const { context, written, place } = await openLog();
  await using _ = place;
  for (let count = 0; count < 150; count += 1) context.warn(`warning ${count}`);
  context.countWarnings(1000);
  expect(context.warnings).toHaveLength(100);
  expect(context.warnings.at(-1)).toBe('1051 more warnings are not listed.');
  expect(written()).toHaveLength(99);
});

test('a folder that is not there is said to be so', async () => {
  expect(() => new EventLog(join('/nonexistent', 'events.jsonl'), new PassThrough())).toThrow(
    expect.objectContaining({ code: 'storage-not-writable' }),
  );
});
