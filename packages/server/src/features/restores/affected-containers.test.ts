import type { Container, ContainerMount } from '@holdfast/docker';
import { describe, expect, test } from 'vitest';
import { affectedContainers } from './affected-containers.ts';

function container(name: string, changes: Partial<Container> = {}): Container {
  return {
    id: `id of ${name}`,
    name,
    image: 'image',
    imageId: 'sha256:0',
    createdAt: '',
    labels: {},
    state: {
      status: 'exited',
      running: false,
      paused: false,
      restarting: false,
      startedAt: '',
      exitCode: 0,
      health: 'none',
    },
    stopSeconds: null,
    restartPolicy: { name: 'no', maximumRetryCount: 0 },
    autoRemove: false,
    privileged: false,
    addresses: [],
    publishedPorts: [],
    networkMode: 'none',
    mounts: [],
    ...changes,
  };
}

const running = { ...container('').state, status: 'running' as const, running: true };

function member(service: string, dependsOn = '', changes: Partial<Container> = {}): Container {
  return container(`shop-${service}`, {
    labels: {
      'com.docker.compose.project': 'shop',
      'com.docker.compose.service': service,
      ...(dependsOn === '' ? {} : { 'com.docker.compose.depends_on': dependsOn }),
    },
    ...changes,
  });
}

function mount(changes: Partial<ContainerMount>): ContainerMount {
  return { type: 'bind', volumeName: null, source: '', destination: '/x', readOnly: false, ...changes };
}

const targets = {
  environmentName: 'shop',
  needsStandstill: true,
  volumes: new Set(['shop_data']),
  paths: ['/volumes/shop_data/_data', '/srv/shop/files'],
};

function namesOf(...containers: Container[]): string[] {
  return affectedContainers({ containers, volumes: [] }, targets).map(({ name }) => name);
}

describe('affected are', () => {
  test('all containers of the environment, dependents first, whatever the circle', () => {
    const own = [
      member('db', '', { state: running }),
      member('web', 'app:service_started:true,cache:service_healthy:false'),
      member('app', 'db:service_healthy:true'),
      member('cache'),
    ];
    expect(namesOf(...own)).toEqual(['shop-web', 'shop-cache', 'shop-app', 'shop-db']);
    expect(namesOf(member('a', 'b:x:y'), member('b', 'a:x:y'))).toHaveLength(2);
  });

  test('others that may write to a target, if they do not run', () => {
    const writers = [
      container('by volume', { mounts: [mount({ type: 'volume', volumeName: 'shop_data' })] }),
      container('by path', { mounts: [mount({ source: '/srv/shop/files' })] }),
      container('inside', { mounts: [mount({ source: '/srv/shop/files/deep' })] }),
    ];
    expect(namesOf(...writers)).toEqual(['by volume', 'by path', 'inside']);
    const bystanders = [
      container('reader', { mounts: [mount({ source: '/srv/shop/files', readOnly: true })], state: running }),
      container('sibling', { mounts: [mount({ source: '/srv/shop/files-2' })], state: running }),
      container('above', { mounts: [mount({ source: '/srv' })], state: running }),
    ];
    expect(namesOf(...bystanders)).toEqual([]);
  });
});

describe('a restore is refused', () => {
  test('while another environment writes to a target', () => {
    const other = container('other', { mounts: [mount({ source: '/srv/shop/files' })], state: running });
    expect(() => namesOf(member('web'), other)).toThrow(
      expect.objectContaining({ code: 'environment-busy', context: { containers: ['other'] } }),
    );
  });

  test('while a container runs that would be gone once it is stopped', () => {
    const oneOff = member('task', '', { state: running, autoRemove: true });
    expect(() => namesOf(oneOff)).toThrow(expect.objectContaining({ code: 'environment-busy' }));
    expect(namesOf({ ...oneOff, state: container('').state })).toEqual(['shop-task']);
  });
});
