import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { writesOutsideVolumes } from './writes-outside-volumes.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

async function writesOf(script: string, options?: { maxCount?: number }) {
  const id = await engine.run({
    command: ['sh', '-c', `${script}; touch /tmp/done; sleep 1000`],
    declaredVolumes: ['/srv/data'],
  });
  const { containers } = engine.docker;
  while ((await containers.readFile(id, '/tmp/done')) === undefined) await delay(50);
  return writesOutsideVolumes(containers, await containers.inspect(id), options);
}

test('finds what is written outside of volumes, and only that', async () => {
  expect(await writesOf('echo x > /srv/data/kept; echo x > /tmp/passing')).toEqual({
    count: 0,
    samples: [],
    isMore: false,
  });
  const writes = await writesOf(
    'mkdir -p /var/lib/app/db; echo x > /var/lib/app/db/rows; mkdir /empty; rm /etc/passwd 2>/dev/null; true',
  );
  expect(writes.samples).toEqual(expect.arrayContaining(['/empty', '/var/lib/app/db/rows']));
  expect(writes.samples).not.toContain('/var/lib/app');
  expect(writes.isMore).toBe(false);
});

test('stops counting at the limit', async () => {
  const many = 'mkdir /many; i=0; while [ $i -lt 300 ]; do echo > "/many/}{$i"; i=$((i+1)); done';
  expect(await writesOf(many)).toMatchObject({ count: 300, isMore: false });
  const writes = await writesOf(many, { maxCount: 100 });
  expect(writes).toMatchObject({ count: 100, isMore: true });
  expect(writes.samples.length).toBe(10);
});
