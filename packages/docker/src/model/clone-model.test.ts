import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Container, ContainerMount } from '../engine-port/engine-objects.ts';
import { sampleContainer, sampleModel, sampleVolume } from '../testing/sample-model.ts';
import { cloneModel } from './clone-model.ts';
import { publishedPortsOf } from './clone-ports.ts';
import { declaredMounts } from './declared-mounts.ts';
import type { ContainerModel, EnvironmentModel } from './environment-model.ts';
import { sharedWith } from './shared-storage.ts';

const options = { name: 'shop-copy', folder: '/srv/copy', portsTaken: [] };
const unnamed = 'b'.repeat(64);

function cloneOf(change: Partial<ContainerModel>, more: Partial<EnvironmentModel> = {}) {
  const cloned = cloneModel(sampleModel({ containers: [sampleContainer(change)], ...more }), options);
  return { ...cloned, container: cloned.model.containers[0] as ContainerModel };
}

/** The engine's view of what a model describes. */
function inventoryOf(model: EnvironmentModel) {
  return {
    containers: model.containers.map((container) => ({
      name: container.name,
      mounts: declaredMounts(container).map(
        ({ kind, source, destination, isReadOnly }): ContainerMount => ({
          type: kind,
          volumeName: kind === 'volume' ? source : null,
          source: kind === 'volume' ? `/var/lib/docker/volumes/${source}/_data` : source,
          destination,
          readOnly: isReadOnly,
        }),
      ),
    })) as unknown as Container[],
    volumes: model.volumes.map((volume) => ({ ...volume, mountpoint: '' })),
  };
}

describe('what a clone is called', () => {
  test('labels, names and networks are its own', () => {
    const { model, container, containers, networks } = cloneOf({
      config: {
        MacAddress: '02:00:00:00:00:01',
        Labels: {
          'com.docker.compose.project': 'shop',
          'com.docker.compose.project.working_dir': '/srv/shop',
          'com.docker.compose.project.config_files': '/srv/shop/compose.yaml,/etc/more.yaml',
          'com.docker.compose.service': 'web',
          'holdfast.environment': 'shop',
          theirs: 'shop',
        },
      },
    });
    expect(model).toMatchObject({ project: 'shop-copy', folder: '/srv/copy' });
    expect(container.config).toEqual({
      Labels: {
        'com.docker.compose.project': 'shop-copy',
        'com.docker.compose.project.working_dir': '/srv/copy',
        'com.docker.compose.project.config_files':
          '/srv/copy/compose.yaml,/srv/copy/holdfast-outside/etc/more.yaml',
        'com.docker.compose.service': 'web',
        'holdfast.environment': 'shop-copy',
        theirs: 'shop',
      },
    });
    expect(containers).toEqual([{ from: 'shop-web-1', to: 'shop-copy-web-1' }]);
    expect(networks).toEqual([{ from: 'shop_default', to: 'shop-copy_default' }]);
    expect(container.hostConfig.NetworkMode).toBe('shop-copy_default');
    expect(container.endpoints).toEqual({
      'shop-copy_default': { Aliases: ['web', 'shop-web-1', 'shop-copy-web-1'] },
    });
    expect(model.networks[0]).toMatchObject({
      ipam: { subnets: [] },
      labels: { 'com.docker.compose.project': 'shop-copy', 'com.docker.compose.network': 'default' },
    });
  });

  test('names that would become one stay two', () => {
    const containers = ['shop-x', 'x'].map((name) => sampleContainer({ name }));
    const { containers: names } = cloneModel(sampleModel({ containers }), options);
    expect(new Set(names.map(({ to }) => to)).size).toBe(2);
  });

  test('references follow, and those to other environments are told', () => {
    const containers = [
      sampleContainer({ name: 'database', endpoints: {} }),
      sampleContainer({
        hostConfig: {
          NetworkMode: 'container:database',
          PidMode: 'container:elsewhere',
          VolumesFrom: ['database:ro', 'elsewhere'],
          Links: ['/database:/shop-web-1/db'],
        },
        endpoints: {},
      }),
    ];
    const { model, remarks } = cloneModel(sampleModel({ containers }), options);
    expect(model.containers[1]?.hostConfig).toMatchObject({
      NetworkMode: 'container:shop-copy-database',
      PidMode: 'container:elsewhere',
      VolumesFrom: ['shop-copy-database:ro'],
      Links: ['shop-copy-database:db'],
    });
    expect(remarks).toEqual([
      expect.stringContaining('volumes of elsewhere'),
      expect.stringContaining('PidMode'),
    ]);
  });

  test('external networks are stood in for, and fixed addresses go', () => {
    const [own] = sampleModel().networks;
    const proxy = {
      ...own,
      name: 'proxy',
      isExternal: true,
      labels: { 'com.docker.compose.project': 'edge' },
    };
    const { container, model, remarks } = cloneOf(
      { endpoints: { proxy: { IPAMConfig: { IPv4Address: '10.0.0.9' } } } },
      { networks: [proxy as EnvironmentModel['networks'][number]] },
    );
    expect(model.networks[0]).toMatchObject({
      name: 'shop-copy_proxy',
      isExternal: false,
      labels: { 'com.docker.compose.project': 'shop-copy', 'com.docker.compose.network': 'proxy' },
    });
    expect(container.endpoints['shop-copy_proxy']).not.toHaveProperty('IPAMConfig');
    expect(remarks).toEqual([
      expect.stringContaining('fixed address'),
      expect.stringContaining('stands for proxy'),
    ]);
  });

  test.each(['shop', '', 'Shop', '-x', 'a/b'])('not %o', (name) => {
    expect(() => cloneModel(sampleModel(), { ...options, name })).toThrow(
      expect.objectContaining({ code: 'usage-invalid' }),
    );
  });
});

describe('where a clone keeps its data', () => {
  test.each([
    ['/srv/shop/conf:/conf:ro', '/srv/copy/conf:/conf:ro'],
    ['/srv/shop:/all', '/srv/copy:/all'],
    ['/srv/shopping:/x', '/srv/copy/holdfast-outside/srv/shopping:/x'],
    ['/mnt/media:/media', '/srv/copy/holdfast-outside/mnt/media:/media'],
    ['/mnt/media:/media:ro', '/srv/copy/holdfast-outside/mnt/media:/media:ro'],
    ['/srv/shop/../secret:/x', '/srv/copy/holdfast-outside/srv/secret:/x'],
    ['/etc/localtime:/etc/localtime:ro', '/etc/localtime:/etc/localtime:ro'],
    ['/etc/localtime:/etc/localtime', '/srv/copy/holdfast-outside/etc/localtime:/etc/localtime'],
    ['/etc:/x:ro', '/srv/copy/holdfast-outside/etc:/x:ro'],
    ['/var/run/docker.sock:/s:ro', '/var/run/docker.sock:/s:ro'],
    ['shop_data:/data:rw,z', 'shop-copy_data:/data:rw,z'],
    ['goods:/goods', 'shop-copy_goods:/goods'],
  ])('%s is %s', (bind, expected) => {
    const volumes = [sampleVolume(), sampleVolume({ name: 'goods', isExternal: true })];
    expect(cloneOf({ hostConfig: { Binds: [bind] } }, { volumes }).container.hostConfig.Binds).toEqual([
      expected,
    ]);
  });

  test('mounts in the longer way too, and volumes without a name', () => {
    const { container, volumes } = cloneOf(
      {
        hostConfig: {
          Mounts: [
            {
              Type: 'volume',
              Source: 'shop_data',
              Target: '/data',
              VolumeOptions: { DriverConfig: { Name: 'x' } },
            },
            { Type: 'volume', Target: '/unnamed' },
            { Type: 'bind', Source: '/mnt/a', Target: '/a' },
            { Type: 'tmpfs', Target: '/tmp' },
          ],
        },
        volumes: [{ name: unnamed, destination: '/unnamed', isAnonymous: true }],
      },
      { volumes: [sampleVolume(), sampleVolume({ name: unnamed, isAnonymous: true, labels: {} })] },
    );
    expect(container.hostConfig.Mounts).toEqual([
      { Type: 'volume', Source: 'shop-copy_data', Target: '/data', VolumeOptions: {} },
      { Type: 'volume', Target: '/unnamed' },
      { Type: 'bind', Source: '/srv/copy/holdfast-outside/mnt/a', Target: '/a' },
      { Type: 'tmpfs', Target: '/tmp' },
    ]);
    const name = container.volumes[0]?.name;
    expect(name).toMatch(/^(?!b{64})[0-9a-f]{64}$/);
    expect(volumes).toContainEqual({ from: unnamed, to: name });
  });

  test.each([
    ['plain', {}, 'local', {}],
    [
      'in memory',
      { options: { type: 'tmpfs', device: 'tmpfs' } },
      'local',
      { type: 'tmpfs', device: 'tmpfs' },
    ],
    [
      'bound',
      { options: { o: 'bind', device: '/srv/shop/d' } },
      'local',
      { o: 'bind', device: '/srv/copy/d' },
    ],
    ['on another machine', { options: { type: 'nfs', device: ':/x', o: 'addr=nas' } }, 'local', {}],
    ['on a disk', { options: { type: 'ext4', device: '/dev/sdb1' } }, 'local', {}],
    ['of another driver', { driver: 'rexray', options: { size: '1' } }, 'local', {}],
  ])('a volume that is %s', (_, change, driver, expected) => {
    expect(cloneOf({}, { volumes: [sampleVolume(change)] }).model.volumes[0]).toMatchObject({
      name: 'shop-copy_data',
      driver,
      options: expected,
    });
    const cloned = cloneOf({}, { volumes: [sampleVolume(change)] });
    expect(cloned.model.volumes[0]?.options).toEqual(expected);
  });

  test.each(['/srv/shop', '/srv/shop/copy', '/srv', '/', 'relative'])('not in %s', (folder) => {
    expect(() => cloneModel(sampleModel(), { ...options, folder })).toThrow(
      expect.objectContaining({ code: 'usage-invalid' }),
    );
  });

  test('whatever is mounted, nothing that either may write to is shared', () => {
    const path = fc.constantFrom(
      '/srv/shop',
      '/srv/shop/a',
      '/srv',
      '/mnt/x',
      '/mnt/x/y',
      '/etc',
      '/etc/localtime',
      '/',
    );
    const volume = fc.constantFrom('shop_data', 'goods', 'bound', unnamed);
    const mode = fc.constantFrom('', ':ro', ':rw', ':z,ro');
    const bind = fc
      .tuple(fc.oneof(path, volume), fc.nat(9), mode)
      .map(([source, place, how]) => `${source}:/at/${place}${how}`);
    const mount = fc
      .tuple(fc.oneof(path, volume), fc.nat(9), fc.boolean())
      .map(([source, place, isReadOnly]) => ({
        Type: source.startsWith('/') ? 'bind' : 'volume',
        Source: source,
        Target: `/mount/${place}`,
        ReadOnly: isReadOnly,
      }));
    fc.assert(
      fc.property(fc.array(bind, { maxLength: 5 }), fc.array(mount, { maxLength: 5 }), (Binds, Mounts) => {
        const original = sampleModel({
          containers: [
            sampleContainer({
              hostConfig: { Binds, Mounts },
              volumes: [{ name: unnamed, destination: '/unnamed', isAnonymous: true }],
            }),
          ],
          volumes: [
            sampleVolume(),
            sampleVolume({ name: 'goods', isExternal: true }),
            sampleVolume({ name: 'bound', options: { o: 'bind', device: '/mnt/x' } }),
            sampleVolume({ name: unnamed, isAnonymous: true }),
          ],
        });
        // The root of the machine holds the clone's folder too: no clone can help that, and it has to be said.
        const shared = sharedWith(cloneModel(original, options).model, inventoryOf(original));
        const hasFolderAround = [...Binds, ...Mounts.map(({ Source }) => `${Source}:`)].some((text) =>
          /^\/(srv)?:/.test(text),
        );
        if (!hasFolderAround) expect(shared).toEqual([]);
        const own = declaredMounts(original.containers[0] as ContainerModel);
        if (own.some(({ isReadOnly }) => !isReadOnly)) {
          const renamed = {
            ...original,
            containers: original.containers.map((each) => ({ ...each, name: 'x' })),
          };
          expect(sharedWith(renamed, inventoryOf(original))).not.toEqual([]);
        }
      }),
    );
  });
});

describe('published ports', () => {
  const published = (bindings: Record<string, string[]>) => ({
    PortBindings: Object.fromEntries(
      Object.entries(bindings).map(([port, numbers]) => [
        port,
        numbers.map((number) => ({ HostIp: '', HostPort: number })),
      ]),
    ),
  });

  test('move to the next that is free', () => {
    const model = sampleModel({
      containers: [
        sampleContainer({
          hostConfig: published({ '80/tcp': ['8080', '8080'], '81/tcp': [''], '82/udp': ['9000'] }),
        }),
        sampleContainer({
          name: 'shop-b-1',
          hostConfig: published({ '80/tcp': ['8081'], '1/tcp': ['65535'] }),
        }),
      ],
    });
    expect(publishedPortsOf(model)).toEqual([8080, 8080, 9000, 8081, 65_535]);
    const cloned = cloneModel(model, { ...options, portsTaken: [8080, 8081, 65_535] });
    expect(cloned.ports).toEqual([
      { container: 'shop-copy-web-1', port: '80/tcp', from: 8080, to: 8082 },
      { container: 'shop-copy-b-1', port: '80/tcp', from: 8081, to: 8083 },
      { container: 'shop-copy-b-1', port: '1/tcp', from: 65_535, to: 65_534 },
    ]);
    expect(cloned.model.containers[0]?.hostConfig).toEqual({
      NetworkMode: '',
      Binds: [],
      Mounts: [],
      ...published({ '80/tcp': ['8082', '8082'], '81/tcp': [''], '82/udp': ['9000'] }),
    });
  });
});
