import { expect, test } from 'vitest';
import type { Container, ContainerMount } from '../engine-port/engine-objects.ts';
import { containerIdOf, pathOnMachine, shareWithContainer } from './own-container.ts';

const id = 'a1b2'.repeat(16);

test('the id stands in the mount table', () => {
  const line = `1 2 0:1 /var/lib/docker/containers/${id}/hostname /etc/hostname rw - ext4 /dev/vda rw`;
  expect(containerIdOf(`1 0 8:1 / / rw - ext4 /dev/vda rw\n${line}\n`)).toBe(id);
  expect(containerIdOf('1 0 8:1 / / rw - ext4 /dev/vda rw\n')).toBeUndefined();
  expect(containerIdOf(line.replace('/etc/hostname', '/elsewhere'))).toBeUndefined();
});

const mount = (destination: string, source: string, type: ContainerMount['type'] = 'bind') =>
  ({ type, volumeName: null, source, destination, readOnly: false }) satisfies ContainerMount;
const own = {
  mounts: [
    mount('/var/lib/holdfast', '/var/lib/docker/volumes/data/_data', 'volume'),
    mount('/var/lib/holdfast/vault', '/mnt/backups'),
    mount('/tmp', '', 'tmpfs'),
  ],
} as const;

test('a path belongs to the innermost mount', () => {
  expect(pathOnMachine(own, '/var/lib/holdfast/tasks')).toBe('/var/lib/docker/volumes/data/_data/tasks');
  expect(pathOnMachine(own, '/var/lib/holdfast/vault')).toBe('/mnt/backups');
  expect(pathOnMachine(own, '/var/lib/holdfast/vault/a')).toBe('/mnt/backups/a');
  expect(pathOnMachine(own, '/var/lib/holdfast2')).toBeUndefined();
  expect(pathOnMachine(own, '/tmp/x')).toBeUndefined();
});

test('what is in the container alone cannot be shared', () => {
  const container = own as unknown as Container;
  expect(shareWithContainer(container, '/var/lib/holdfast/tasks')).toEqual({
    type: 'bind',
    source: '/var/lib/docker/volumes/data/_data/tasks',
    destination: '/var/lib/holdfast/tasks',
    readOnly: false,
  });
  expect(() => shareWithContainer(container, '/opt/data')).toThrow(
    expect.objectContaining({ code: 'configuration-invalid' }),
  );
});
