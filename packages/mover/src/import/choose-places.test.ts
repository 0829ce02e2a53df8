import type { ArchivedBackup } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { adoptParts, type Choice, choosePlace, type Place } from './choose-places.ts';

function volume(name: string, component: string, path: string): Place {
  return {
    name,
    source: { kind: 'volume', name, driver: 'local', labels: {}, options: {} },
    mountPoints: [{ component, path, readOnly: false }],
    endPattern: null,
  };
}

function command(component: string): Place {
  return {
    name: `${component}:command`,
    source: { kind: 'command', component },
    mountPoints: [],
    endPattern: null,
  };
}

const places = [
  volume('shop_files', 'web', '/files'),
  volume('shop_cache', 'web', '/cache'),
  volume('shop_db', 'db', '/var/lib/db'),
  command('db'),
];

function choice(changes: Partial<Choice> = {}): Choice {
  return { places, component: null, part: null, ...changes };
}

describe('what a source becomes that says nothing of itself', () => {
  it.each([
    [true, { component: 'db' }, 'shop_db'],
    [true, { part: 'shop_cache' }, 'shop_cache'],
    [true, { part: 'db:command' }, 'db:command'],
    [true, { places: [volume('only', 'web', '/x')] }, 'only'],
    [true, { places: [command('db')] }, 'db:command'],
    [false, {}, 'db:command'],
    [false, { component: 'db' }, 'db:command'],
  ] as const)('archive: %s, %j', (isArchive, changes, name) => {
    expect(choosePlace(choice(changes), { isArchive }).name).toBe(name);
  });

  it.each([
    [true, {}, /shop_files, shop_cache, shop_db/],
    [true, { component: 'web' }, /shop_files, shop_cache/],
    [true, { component: 'nobody' }, /no mount of nobody/],
    [false, { component: 'web' }, /no restore command/],
    [false, { part: 'shop_db' }, /no restore command/],
    [false, { places: [command('db'), command('web')] }, /db:command, web:command/],
  ] as const)('is refused where it is not clear: archive: %s, %j', (isArchive, changes, message) => {
    const choose = () => choosePlace(choice(changes), { isArchive });
    expect(choose).toThrow(expect.objectContaining({ code: 'import-refused' }));
    expect(choose).toThrow(message);
  });
});

describe('an archived backup', () => {
  const archived = (parts: ArchivedBackup['parts']): ArchivedBackup => ({
    version: 1,
    backup: { id: 'bak_0', mode: 'consistent', environmentName: 'old', createdAtMs: 1 },
    parts,
  });
  const evil = { type: 'none', o: 'bind', device: '/etc' };
  const part = (name: string, component: string, path: string): ArchivedBackup['parts'][number] => ({
    name,
    path: `parts/${name}`,
    source: { kind: 'volume', name, driver: 'local', labels: { x: 'y' }, options: evil },
    mountPoints: [{ component, path, readOnly: false }],
  });

  it('becomes parts of this environment, by the name or the place of their mounts', () => {
    const backup = archived([part('shop_db', 'else', '/else'), part('old_files', 'web', '/files')]);
    const adopted = adoptParts(backup, choice());
    expect(adopted).toMatchObject([
      { spec: { name: 'shop_db', source: { options: {} } }, path: 'parts/shop_db', hasPlace: true },
      { spec: { name: 'shop_files', source: { options: {} } }, path: 'parts/old_files', hasPlace: true },
    ]);
  });

  it('brings no options of volumes along', () => {
    const [adopted] = adoptParts(archived([part('unknown', 'x', '/x')]), choice());
    expect(adopted).toMatchObject({
      hasPlace: false,
      spec: { name: 'unknown', source: { kind: 'volume', driver: 'local', labels: {}, options: {} } },
    });
  });

  it('can be taken in part', () => {
    const backup = archived([part('old_db', 'db', '/var/lib/db'), part('old_files', 'web', '/files')]);
    const names = (changes: Partial<Choice>) =>
      adoptParts(backup, choice(changes)).map(({ spec }) => spec.name);
    expect(names({ component: 'web' })).toEqual(['shop_files']);
    expect(names({ part: 'old_db' })).toEqual(['shop_db']);
    expect(names({ part: 'shop_db' })).toEqual(['shop_db']);
    expect(() => names({ part: 'nothing' })).toThrow(expect.objectContaining({ code: 'import-refused' }));
  });

  it('is refused with a part twice', () => {
    const twice = archived([part('one', 'x', '/x'), part('one', 'x', '/x')]);
    expect(() => adoptParts(twice, choice())).toThrow(expect.objectContaining({ code: 'import-refused' }));
  });
});
