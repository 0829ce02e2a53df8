import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from './support/process.ts';

const script = (name: string): string => fileURLToPath(new URL(`../script/${name}`, import.meta.url));

it('script/setup does and says nothing where everything is there', async () => {
  expect(await run(script('setup'), ['test'])).toEqual({ status: 0, stdout: '', stderr: '' });
});

it('script/testbed run uses the parts that run already, and leaves them', async () => {
  const command = ['run', 'redis', 'postgres', '--', 'printenv', 'HOLDFAST_TEST_REDIS'];
  const expected = { status: 0, stdout: `${process.env.HOLDFAST_TEST_REDIS}\n`, stderr: '' };
  expect(await run(script('testbed'), command)).toEqual(expected);
  expect(await run(script('testbed'), ['status', 'redis', 'postgres'])).toMatchObject({ status: 0 });
});

it('script/testbed names its parts when it is given another', async () => {
  const { status, stderr } = await run(script('testbed'), ['up', 'oracle']);
  expect(status).toBe(1);
  expect(stderr).toContain("there is no part 'oracle'");
  expect(stderr).toContain('postgres');
});
