import { expect, test } from 'vitest';
import type { JsonObject } from '../engine-port/json-object.ts';
import { sampleContainer, sampleModel, sampleVolume } from '../testing/sample-model.ts';
import { addedPrivileges, privilegesOf } from './privileges.ts';

const of = (hostConfig: JsonObject) =>
  privilegesOf(sampleContainer({ hostConfig }), sampleModel({ containers: [sampleContainer()] }));

test.each<[JsonObject, string[]]>([
  [{}, []],
  [
    {
      NetworkMode: 'shop_default',
      IpcMode: 'private',
      CgroupnsMode: 'private',
      Runtime: 'runc',
      CapAdd: null,
    },
    [],
  ],
  [
    { MaskedPaths: ['/proc/acpi'], ReadonlyPaths: ['/proc/sys'], SecurityOpt: ['no-new-privileges:true'] },
    [],
  ],
  [{ PidMode: 'container:shop-web-1', Binds: ['/srv/shop/a:/a', 'shop_data:/d'] }, []],
  [{ Binds: ['/etc/localtime:/etc/localtime:ro'] }, []],
  [{ Privileged: true }, ['is privileged']],
  [{ CapAdd: ['CAP_NET_ADMIN', 'net_admin'] }, ['has the capability NET_ADMIN']],
  [{ Devices: [{ PathOnHost: '/dev/fuse', CgroupPermissions: 'r' }] }, ['has the device /dev/fuse (r)']],
  [{ DeviceCgroupRules: ['c 1:* rwm'] }, ['may use devices by the rule c 1:* rwm']],
  [{ DeviceRequests: [{ Driver: 'nvidia' }] }, ['has devices of the driver nvidia']],
  [{ PidMode: 'host' }, ["shares the machine's processes"]],
  [
    { NetworkMode: 'host', UTSMode: 'host' },
    ["shares the machine's host name", "shares the machine's network"],
  ],
  [{ UsernsMode: 'host' }, ["shares the machine's users"]],
  [{ CgroupnsMode: 'host' }, ["shares the machine's control groups"]],
  [{ IpcMode: 'container:other' }, ['shares the shared memory of the container other']],
  [{ VolumesFrom: ['other:ro'] }, ['has the volumes of the container other']],
  [{ SecurityOpt: ['apparmor=unconfined'] }, ['has the security option apparmor=unconfined']],
  [{ SecurityOpt: ['no-new-privileges:false'] }, ['has the security option no-new-privileges:false']],
  [{ Sysctls: { 'net.core.somaxconn': '1' } }, ["sets the kernel's net.core.somaxconn"]],
  [{ GroupAdd: ['docker'] }, ['is in the group docker']],
  [
    { CgroupParent: 'system.slice', Runtime: 'sysbox' },
    ['is in the control group system.slice', 'runs by sysbox'],
  ],
  [
    { MaskedPaths: [], ReadonlyPaths: [] },
    ["may write to the kernel's files", "sees the kernel's hidden files"],
  ],
  [{ OomKillDisable: true }, ['is never ended for want of memory']],
  [{ OomScoreAdj: -500 }, ['is ended late for want of memory']],
  [
    { Binds: ['/var/run/docker.sock:/s:ro'] },
    ["has the engine's socket, and so the whole machine, by /var/run/docker.sock"],
  ],
  [
    { Mounts: [{ Type: 'bind', Source: '/var/run/', Target: '/r' }] },
    ["has the engine's socket, and so the whole machine, by /var/run"],
  ],
  [{ Binds: ['/:/host'] }, ["has the engine's socket, and so the whole machine, by /"]],
  [{ Binds: ['/etc:/x'] }, ['mounts /etc of the machine for writing']],
  [{ Binds: ['/srv/shop/../other:/x:ro'] }, ['mounts /srv/other of the machine for reading']],
  [{ Binds: ['/sys:/x:ro'] }, ['mounts /sys of the machine for reading']],
])('%j', (hostConfig, expected) => {
  expect(of(hostConfig)).toEqual(expected);
});

test.each([
  [{ o: 'bind', device: '/etc' }, ['has /etc as a volume']],
  [{ o: 'bind', device: '/srv/shop/data' }, []],
  [{ type: 'ext4', device: '/dev/sda1' }, ['has /dev/sda1 as a volume']],
  [{ type: 'tmpfs', device: 'tmpfs' }, []],
])('a volume with the options %j', (options, expected) => {
  const container = sampleContainer({ hostConfig: { Binds: ['shop_data:/data'] } });
  const model = sampleModel({ containers: [container], volumes: [sampleVolume({ options })] });
  expect(privilegesOf(container, model)).toEqual(expected);
});

test('only what the running environment does not have is added, by component', () => {
  const container = (component: string, hostConfig: JsonObject) =>
    sampleContainer({ name: `shop-${component}-1`, component, hostConfig });
  const running = sampleModel({
    containers: [container('web', { CapAdd: ['NET_ADMIN'] }), container('db', {})],
  });
  const asked = sampleModel({
    containers: [
      container('web', { CapAdd: ['NET_ADMIN', 'SYS_PTRACE'] }),
      container('db', { CapAdd: ['NET_ADMIN'] }),
      container('more', { Privileged: true }),
    ],
  });
  expect(addedPrivileges(asked, running)).toEqual([
    'web has the capability SYS_PTRACE.',
    'db has the capability NET_ADMIN.',
    'more is privileged.',
  ]);
  expect(addedPrivileges(running, running)).toEqual([]);
});
