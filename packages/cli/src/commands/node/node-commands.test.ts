import { type Node, nodeIdSchema } from '@holdfast/protocol';
import { expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleEnvironment, sampleTimeMs } from '../../testing/samples.ts';

const node = (change: Partial<Node> = {}): Node => ({
  id: nodeIdSchema.parse('nod_0123456789abcdef'),
  name: 'second',
  dockerHost: 'unix:///run/second.sock',
  engineId: 'ABCD',
  status: 'ok',
  error: null,
  limitation: null,
  createdAtMs: sampleTimeMs,
  ...change,
});

it('node:add prints the id alone, and says what cannot be reached there', async () => {
  await using server = await ProtocolServer.start({
    'node.add': () => node({ limitation: 'the Docker Engine runs on another machine, far' }),
  });
  const words = ['node:add', 'second', '--host', 'tcp://far:2375'];
  const { status, output, notes } = await cliRun(words, { server });
  expect({ status, output }).toEqual({ status: 0, output: 'nod_0123456789abcdef\n' });
  expect(notes).toContain('cannot be reached: the Docker Engine runs on another machine, far.');
  expect(server.received).toMatchObject([{ body: { name: 'second', dockerHost: 'tcp://far:2375' } }]);
  expect((await cliRun(['node:add', 'second'], { server })).status).toBe(2);
});

it('node:list says which nodes do not answer, and why', async () => {
  const nodes = [node({ name: 'local' }), node({ status: 'unreachable', error: 'Docker is not reachable.' })];
  await using server = await ProtocolServer.start({ 'node.list': () => ({ nodes }) });
  const { output } = await cliRun(['node:list', '-c', 'name,status,note'], { server });
  expect(output).toMatch(
    /^NAME +STATUS +NOTE\nlocal +ok.*\nsecond +unreachable +Docker is not reachable\.\n$/,
  );
});

it('node:remove says what becomes of its environments', async () => {
  await using server = await ProtocolServer.start({ 'node.remove': () => ({}) });
  const { status, notes } = await cliRun(['node:remove', 'second'], { server });
  expect(status).toBe(0);
  expect(notes).toContain('Removed second. Its environments are inactive;');
  expect(server.received).toMatchObject([{ params: { node: 'second' } }]);
});

it('environment:list shows those of a node that does not answer as unreachable', async () => {
  const environments = [
    sampleEnvironment('a'),
    sampleEnvironment('b', { nodeName: 'second', isReachable: false }),
  ];
  await using server = await ProtocolServer.start({ 'environment.list': () => ({ environments }) });
  const { output, notes } = await cliRun(['environment:list', '-c', 'name,state,node'], { server });
  expect(output).toMatch(/a +active +local\nb +unreachable +second\n$/);
  expect(notes).toContain('warning: second does not answer: its environments are shown as last seen.');
});
