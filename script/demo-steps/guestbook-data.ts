import { createHash } from 'node:crypto';
import type { Guestbook } from './guestbook.ts';

export const amounts = { entries: 240, uploads: 24, keys: 120 } as const;

/** SHA-256 of each answer, by path. */
export type Fingerprint = ReadonlyMap<string, string>;

const requestLimitMs = 30_000;
const requestsAtOnce = 8;

/** Writes entries, uploads and keys; the same ones each time. */
export async function fill(guestbook: Guestbook, signal: AbortSignal): Promise<void> {
  const put = (path: string, body: string | Uint8Array<ArrayBuffer>) =>
    request(guestbook, path, { method: 'PUT', body, signal });
  await forEachAtOnce(numbers(amounts.entries), (n) =>
    put(
      `/entries/${n}`,
      JSON.stringify({ author: `visitor ${n % 17}`, text: `Entry ${n}: ${digest(`entry ${n}`)}` }),
    ),
  );
  await forEachAtOnce(numbers(amounts.uploads), (n) => put(`/uploads/${uploadName(n)}`, uploadContents(n)));
  await forEachAtOnce(numbers(amounts.keys), (n) => put(`/cache/${keyName(n)}`, digest(`key ${n}`)));
}

/** Asks for everything that the app has, and hashes every answer. */
export async function fingerprint(guestbook: Guestbook, signal: AbortSignal): Promise<Fingerprint> {
  const paths = [
    ...['/entries', '/uploads', '/cache'],
    ...numbers(amounts.entries).map((n) => `/entries/${n}`),
    ...numbers(amounts.uploads).map((n) => `/uploads/${uploadName(n)}`),
    ...numbers(amounts.keys).map((n) => `/cache/${keyName(n)}`),
  ];
  const hashes = new Map<string, string>();
  await forEachAtOnce(paths, async (path) => {
    const answer = await ask(guestbook, path, { signal });
    hashes.set(path, `${answer.status} ${digest(answer.body)}`);
  });
  return hashes;
}

/** The paths whose answers differ. */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
  return [...before.keys()].filter((path) => before.get(path) !== after.get(path)).sort();
}

/** Drops the table, deletes the uploads, flushes Redis: from inside the containers, past the app. */
export async function wreck(guestbook: Guestbook): Promise<void> {
  const inside = (component: string, ...command: string[]) =>
    guestbook.compose(['exec', '-T', component, ...command]);
  await inside('db', 'psql', '--username=guestbook', '--quiet', '--command=drop table entries');
  await inside('web', 'sh', '-c', 'rm -rf /app/uploads/*');
  await inside('cache', 'redis-cli', 'flushall');
}

/** Alters one row. */
export async function alterOneRow(guestbook: Guestbook, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ author: 'nobody', text: 'This was not here before.' });
  await request(guestbook, '/entries/7', { method: 'PUT', body, signal });
}

interface RequestOptions {
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

async function ask(guestbook: Guestbook, path: string, { signal, ...init }: RequestOptions) {
  const timeout = AbortSignal.timeout(requestLimitMs);
  const response = await fetch(guestbook.url + path, { ...init, signal: AbortSignal.any([signal, timeout]) });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

async function request(guestbook: Guestbook, path: string, options: RequestOptions): Promise<void> {
  const { status, body } = await ask(guestbook, path, options);
  if (status >= 300) {
    throw new Error(`The guestbook answered ${status} to ${path}: ${Buffer.from(body).toString('utf8')}`);
  }
}

async function forEachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, worker));
}

/** Bytes that do not compress, of a size between 1 KiB and about 1 MiB. */
function uploadContents(n: number): Uint8Array<ArrayBuffer> {
  const sizeBytes = 1024 + ((n * 7919) % 97) * 10_007;
  return new Uint8Array(createHash('shake256', { outputLength: sizeBytes }).update(`upload ${n}`).digest());
}

const uploadName = (n: number): string => `picture-${String(n).padStart(3, '0')}.bin`;
const keyName = (n: number): string => `visits-${String(n).padStart(3, '0')}`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
