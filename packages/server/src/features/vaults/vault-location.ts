import { isAbsolute, join, normalize, relative } from 'node:path';
import { refused } from './vault-errors.ts';

/** Whether a vault is in a bucket; otherwise, it is a directory. */
export function isBucket(location: string): boolean {
  return location.startsWith('s3:');
}

/** Where a repository of a vault is, as stock restic takes it. */
export function locationIn(vaultLocation: string, folder: string): string {
  return isBucket(vaultLocation) ? `${vaultLocation}/${folder}` : join(vaultLocation, folder);
}

/**
 * The one way to write a location: a directory's absolute path, or `s3:https://HOST/BUCKET/FOLDER`.
 *
 * @throws HoldfastError `usage-invalid`
 */
export function canonicalLocation(given: string): string {
  if (isBucket(given)) {
    const [, scheme = 'https', rest = ''] = /^s3:(?:(https?):\/\/|\/\/)?(.*)$/s.exec(given) ?? [];
    const names = rest.split('/').filter((name) => name !== '');
    if (names.length >= 2 && !rest.includes('@')) return `s3:${scheme}://${names.join('/')}`;
    throw refused(
      'The location of the bucket cannot be used.',
      'Write it as s3:https://HOST/BUCKET/FOLDER, with the credentials apart from it.',
    );
  }
  if (isAbsolute(given) && !given.includes('\0')) return normalize(given).replace(/(?<=.)\/+$/, '');
  throw refused(
    `${given} is no absolute path, and no bucket.`,
    "Name a directory of the server's machine by its whole path, or a bucket as s3:https://HOST/BUCKET/FOLDER.",
  );
}

/** Whether one lies in the other, or both are the same place. */
export function overlap(one: string, other: string): boolean {
  if (isBucket(one) !== isBucket(other)) return false;
  return isWithin(one, other) || isWithin(other, one);
}

function isWithin(inner: string, outer: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path === '..' || path.startsWith('../') || isAbsolute(path));
}
