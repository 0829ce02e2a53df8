import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { SeededRandom } from '../seeded-random.ts';

/** What a file is, where packs of trees and of data are two kinds. */
export const damageableKinds = [
  'config',
  'key',
  'lock',
  'snapshot',
  'index',
  'tree pack',
  'data pack',
] as const;
export type DamageableKind = (typeof damageableKinds)[number];

export const damages = ['missing', 'truncated', 'one bit flipped', 'swapped'] as const;
export type Damage = (typeof damages)[number];

export interface Corruption {
  readonly kind: DamageableKind;
  readonly damage: Damage;
}

export const corruptions: readonly Corruption[] = damageableKinds.flatMap((kind) =>
  damages.map((damage) => ({ kind, damage })),
);

/**
 * What looks the same as after `forget`, `key remove` or the end of a lock's holder: no program can tell it from that.
 */
export function looksIntended({ kind, damage }: Corruption): boolean {
  return damage === 'missing' && (kind === 'snapshot' || kind === 'key' || kind === 'lock');
}

/** Damages the file; `other`, one of its kind, gets its contents when they are swapped. Says what it did. */
export function corrupt(path: string, other: string, damage: Damage, random: SeededRandom): string {
  const contents = readFileSync(path);
  switch (damage) {
    case 'missing':
      rmSync(path);
      return 'missing';
    case 'truncated': {
      const length = 1 + random.integer(contents.length - 1);
      rewrite(path, contents.subarray(0, length));
      return `truncated to ${length} of ${contents.length} bytes`;
    }
    case 'one bit flipped': {
      const at = random.integer(contents.length);
      const bit = random.integer(8);
      contents.writeUInt8(contents.readUInt8(at) ^ (1 << bit), at);
      rewrite(path, contents);
      return `bit ${bit} of byte ${at} of ${contents.length} flipped`;
    }
    case 'swapped': {
      const others = readFileSync(other);
      rewrite(path, others);
      rewrite(other, contents);
      return 'swapped';
    }
  }
}

/** As a new file: the old one may have further names in other copies of the repository. */
function rewrite(path: string, contents: Buffer): void {
  rmSync(path);
  writeFileSync(path, contents);
  chmodSync(path, 0o400);
}
