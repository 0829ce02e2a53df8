import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { HoldfastError } from '@holdfast/base';
import { type Container, discoverEnvironments, writesTo } from '@holdfast/docker';
import type { WatchedContainer, WatchedEnvironment } from './container-watch.ts';

/** Something that Holdfast reaches over the network while it takes a backup. */
export interface NeededEndpoint {
  /** `Holdfast's catalog` */
  readonly what: string;
  readonly host: string;
  readonly port: number;
}

export interface NeededOptions {
  readonly environment: WatchedEnvironment;
  /** The server's own container, which no inventory has; undefined where it runs in none. */
  readonly own: Container | undefined;
  readonly endpoints: readonly NeededEndpoint[];
}

export type Reachable = Pick<WatchedContainer, 'name' | 'addresses' | 'publishedPorts'>;

/** The PostgreSQL server of the catalog, where there is one. */
export function catalogEndpoint(catalogUrl: string | null): readonly NeededEndpoint[] {
  if (catalogUrl === null) return [];
  const { hostname, port } = new URL(catalogUrl);
  if (hostname === '') return [];
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return [{ what: "Holdfast's catalog", host, port: Number(port || 5432) }];
}

/**
 * Holdfast would wait for what it has paused itself, with the environment, until the guard thaws all.
 * @param containers those that would be paused
 * @throws HoldfastError `freeze-refused` when what Holdfast needs runs in one of them, or Holdfast itself would be one
 */
export async function assertNoneNeeded(
  containers: readonly Reachable[],
  { environment, own, endpoints }: NeededOptions,
): Promise<void> {
  if (own !== undefined && isOf(own, environment)) throw refused(own, 'Holdfast itself runs');
  for (const { what, host, port } of endpoints) {
    const addresses = await addressesOf(host);
    const isHere = addresses.some((address) => ownAddresses().has(address) || isLoopback(address));
    const server = containers.find(
      (container) =>
        container.addresses.some((address) => addresses.includes(address)) ||
        (isHere && container.publishedPorts.includes(port)),
    );
    if (server !== undefined) throw refused(server, `${what} is served`);
  }
}

function isOf(own: Container, { name, sources }: WatchedEnvironment): boolean {
  const [environment] = discoverEnvironments({ containers: [own], volumes: [] });
  return environment?.name === name || writesTo(own, sources);
}

/** None where the name means nothing now: what needs it fails by itself. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function refused({ name }: Pick<Reachable, 'name'>, what: string): HoldfastError {
  return new HoldfastError(
    'freeze-refused',
    `${name} cannot be paused for a consistent backup: ${what} in it.`,
    {
      hint: 'Take a live backup (--live), or keep Holdfast and its catalog in a project of their own.',
      context: { container: name },
    },
  );
}
