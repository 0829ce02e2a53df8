import { HoldfastError } from '@holdfast/base';

/** Engine 20.10 and later speak it, and it has all that is needed here. */
export const pinnedApiVersion = '1.41';

export interface OfferedApiVersions {
  readonly host: string;
  readonly newest: string;
  /** Empty when the engine does not tell. */
  readonly oldest: string;
}

/**
 * The pinned version wherever the engine speaks it, so that answers look the same everywhere; else the oldest that a
 * newer engine still speaks. Engines that are too old are refused with `docker-refused`.
 */
export function chooseApiVersion({ host, newest, oldest }: OfferedApiVersions): string {
  if (!isAtLeast(newest, pinnedApiVersion)) {
    throw new HoldfastError('docker-refused', `The Docker Engine at ${host} is too old (API ${newest}).`, {
      hint: `Holdfast needs API ${pinnedApiVersion}, which Docker Engine 20.10 and later have.`,
      context: { host, apiVersion: newest },
    });
  }
  return isAtLeast(oldest, pinnedApiVersion) ? oldest : pinnedApiVersion;
}

/** What is no version is at least none. */
function isAtLeast(version: string, least: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
