import { expect, test } from 'vitest';
import { parseRecoveryKit } from './recovery-kit.ts';

const key = 'a'.repeat(64);
const sealKey = 'b'.repeat(64);

/** As `holdfast vault:kit` prints it. */
const kit = `HOLDFAST RECOVERY KIT
Made 2026-01-02 on here.

Vault other
  location:     /mnt/other
  recovery key: ${'c'.repeat(64)}

Vault default (default)
  location:     /mnt/my backups
  recovery key: ${key}

Seal key (opens the secrets in a copy of the catalog)
  ${sealKey}

WITHOUT HOLDFAST, with restic 0.14 or later
  Each folder in the location is a repository.
`;

test('a kit holds the keys of each of its vaults, whatever its lines end with', () => {
  const expected = { recoveryKey: key, sealKey, location: '/mnt/my backups' };
  expect(parseRecoveryKit(kit, 'default')).toEqual(expected);
  expect(parseRecoveryKit(kit.replaceAll('\n', '\r\n'), 'default')).toEqual(expected);
  expect(parseRecoveryKit(kit, 'other')?.recoveryKey).toBe('c'.repeat(64));
  expect(parseRecoveryKit(kit, 'third')).toBeUndefined();
});

test('a file with nothing but a key is taken as it is, as stock restic would', () => {
  const alone = { recoveryKey: key, sealKey: undefined, location: undefined };
  expect(parseRecoveryKit(`${key}\n`, 'default')).toEqual(alone);
});

test('a kit that was cut off, or another text, holds nothing', () => {
  expect(parseRecoveryKit('', 'default')).toBeUndefined();
  expect(parseRecoveryKit('two words', 'default')).toBeUndefined();
  expect(parseRecoveryKit(kit.slice(0, kit.indexOf(key) - 20), 'default')).toBeUndefined();
  const early = parseRecoveryKit(kit.slice(0, kit.indexOf('Seal key')), 'default');
  expect(early).toEqual({ recoveryKey: key, sealKey: undefined, location: '/mnt/my backups' });
});
