import { expect, test } from 'vitest';
import type { Mount } from './http/environment-routes.ts';
import type { MountSource } from './mount.ts';
import { mountForPart } from './mount-for-part.ts';

const volume = (name: string): MountSource => {
  return { kind: 'volume', name, driver: 'local', labels: {}, options: {} };
};
const bind = (path: string): MountSource => ({ kind: 'bind', path });

function mountOf(source: MountSource): Mount {
  const name = source.kind === 'bind' ? source.path : source.name;
  const mountPoints = [{ component: 'web', path: '/data', readOnly: false }];
  return { name, source, mountPoints, included: true, reason: '' };
}

test('what nobody is known to mount goes to the volume of its name or to its very path, and nowhere else', () => {
  const mounts = [volume('shop_data'), bind('/srv/shop/uploads')].map(mountOf);
  for (const isElsewhere of [true, false]) {
    const place = (source: MountSource) =>
      mountForPart({ source, mountPoints: [] }, { parts: [], mounts, isElsewhere })?.name;
    expect(place(volume('shop_data'))).toBe('shop_data');
    expect(place(bind('/srv/shop/uploads'))).toBe('/srv/shop/uploads');
    expect(place(volume('other_data'))).toBe(undefined);
    expect(place(bind('/srv/shop'))).toBe(undefined);
    expect(place(bind('shop_data'))).toBe(undefined);
  }
});

test('what somebody is known to mount does not go by its name alone to another environment', () => {
  const mounts = [mountOf(volume('shop_data'))];
  const part = {
    source: volume('shop_data'),
    mountPoints: [{ component: 'db', path: '/var/lib', readOnly: false }],
  };
  expect(mountForPart(part, { parts: [part], mounts, isElsewhere: true })).toBe(undefined);
  expect(mountForPart(part, { parts: [part], mounts, isElsewhere: false })?.name).toBe('shop_data');
});
