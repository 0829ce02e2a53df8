import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ServerChannel } from './server-channel.ts';
import { testPlace } from './testing/task-specs.ts';

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

async function openChannel() {
  await using place = await testPlace();
  const task = place.backup([]);
  const input = new PassThrough();
  const channel = new ServerChannel(input);
  input.write(line(task));
  expect(await channel.readTask()).toEqual(task);
  return { channel, input };
}

async function stopped({ signal }: ServerChannel): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return signal.reason;
}

describe('a channel', () => {
  test('passes on go and commit, whenever they come', async () => {
    const { channel, input } = await openChannel();
    input.write(line({ type: 'go' }));
    await channel.waitFor('go');
    const committed = channel.waitFor('commit');
    input.write(line({ type: 'commit' }));
    await committed;
    expect(channel.signal.aborted).toBe(false);
  });

  test.each([
    ['its input ends', '', 'server-lost'],
    ['it is told to cancel', line({ type: 'cancel' }), 'interrupted'],
    ['it is told nonsense', 'nonsense\n', 'internal'],
    ['it is told something unknown', line({ type: 'dance' }), 'internal'],
  ])('stops the work when %s', async (_what, text, code) => {
    const { channel, input } = await openChannel();
    const waiting = channel.waitFor('go');
    input.end(text);
    await expect(waiting).rejects.toMatchObject({ code });
    expect(await stopped(channel)).toMatchObject({ code });
  });

  test('stops nothing once it was told to commit, also by what came in the same breath', async () => {
    const { channel, input } = await openChannel();
    input.end(line({ type: 'go' }) + line({ type: 'commit' }) + line({ type: 'cancel' }));
    await channel.waitFor('commit');
    await new Promise((resolve) => setTimeout(resolve, 20));
    channel.cancel();
    expect(channel.signal.aborted).toBe(false);
  });

  test('refuses a first line that is no task, and names fields without their values', async () => {
    const input = new PassThrough();
    input.end(line({ kind: 'backup', repository: { location: '/r', password: 'hush' } }));
    const error = await new ServerChannel(input).readTask().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'usage-invalid' });
    expect(JSON.stringify(error)).not.toContain('hush');
    await expect(new ServerChannel(new PassThrough().end()).readTask()).rejects.toMatchObject({
      code: 'usage-invalid',
    });
  });
});
