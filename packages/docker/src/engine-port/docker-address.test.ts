import { expect, test } from 'vitest';
import { parseDockerHost } from './docker-address.ts';

test.each([
  ['unix:///run/docker.sock', { socketPath: '/run/docker.sock' }],
  ['tcp://node2:2376', { host: 'node2', port: 2376 }],
  ['tcp://10.0.0.2', { host: '10.0.0.2', port: 2375 }],
  ['tcp://10.0.0.2:80', { host: '10.0.0.2', port: 80 }],
  ['tcp://[::1]:2375', { host: '::1', port: 2375 }],
])('%s is understood', (text, address) => {
  expect(parseDockerHost(text)).toEqual(address);
});

test.each([
  '',
  'unix://run/docker.sock',
  'tcp://',
  'tcp://user@host:1',
  'tcp://host:1/path',
  'tcp://host:99999',
  'ssh://host',
  'https://host:2376',
  '/run/docker.sock',
])('%s is refused, and it is said what is not', (text) => {
  expect(() => parseDockerHost(text)).toThrow(
    expect.objectContaining({
      code: 'configuration-invalid',
      hint: expect.stringContaining('tcp://host:port'),
    }),
  );
});
