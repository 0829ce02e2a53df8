import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { HoldfastError } from '@holdfast/base';
import type { Container } from '@holdfast/docker';

/** Something that Holdfast reaches over the network while it takes a backup. */
export interface NeededEndpoint {
  /** `Holdfast's catalog` */
  readonly what: string;
  readonly host: string;
  readonly port: number;
}

export interface NeededOptions {
  /** The id of the server's own container; undefined where it runs in none. */
  readonly ownId: string | undefined;
  readonly endpoints: readonly NeededEndpoint[];
}

export type Reachable = Pick<Container, 'id' | 'name' | 'addresses' | 'publishedPorts'>;

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
 * @throws HoldfastError `freeze-refused` when Holdfast or what it needs runs in one of these containers
 */
export async function assertNoneNeeded(
  containers: readonly Reachable[],
  { ownId, endpoints }: NeededOptions,
): Promise<void> {
  const own = containers.find(({ id }) => id === ownId);
  if (own !== undefined) throw refused(own, 'Holdfast itself runs');
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

function refused({ name }: Reachable, what: string): HoldfastError {
  return new HoldfastError(
    'freeze-refused',
    `${name} cannot be paused for a consistent backup: ${what} in it.`,
    {
      hint: 'Take a live backup (--live), or keep Holdfast and its catalog in a project of their own.',
      context: { container: name },
    },
  );
}
