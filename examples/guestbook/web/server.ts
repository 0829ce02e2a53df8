/**
 * The guestbook's HTTP interface. Every list is sorted and every answer the same for the same data, so that answers can
 * be compared byte by byte.
 *
 *     GET /healthz                 200 once database and cache are usable, else 503
 *     GET|POST /entries            rows in PostgreSQL; a POST takes {author, text}
 *     GET|PUT /entries/{id}
 *     GET /uploads                 files in a volume, with their sizes and hashes
 *     GET|PUT /uploads/{name}      a file's bytes, at most 16 MiB
 *     GET /cache                   keys in Redis
 *     GET|PUT /cache/{key}         a value, as text
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Cache } from './cache.ts';
import { Entries, type EntryDraft } from './entries.ts';
import { Uploads } from './uploads.ts';

const bodyLimitBytes = 16 * 1024 * 1024;

class BadRequest extends Error {}

const entries = new Entries(process.env.DATABASE_URL ?? 'postgres://guestbook:guestbook@localhost/guestbook');
const uploads = new Uploads(process.env.UPLOADS ?? 'uploads');
const cache = new Cache(process.env.CACHE_HOST ?? 'localhost');

let isPrepared = false;

type Answer = { status: number; body?: unknown };
const notFound: Answer = { status: 404, body: { error: 'not found' } };
const found = (body: unknown): Answer => (body === undefined ? notFound : { status: 200, body });

async function answer(request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://guestbook');
  const [noun = '', name] = pathname.split('/').slice(1).map(decodeURIComponent);
  const what = `${request.method} /${noun}${name === undefined ? '' : '/*'}`;
  switch (what) {
    case 'GET /healthz':
      if (!isPrepared) throw new Error('The database is not there yet.');
      await Promise.all([entries.ping(), cache.ping()]);
      return found({ ok: true });
    case 'GET /entries':
      return found(await entries.list());
    case 'POST /entries':
      return { status: 201, body: await entries.add(entryDraft(await bodyOf(request))) };
    case 'GET /entries/*':
      return found(await entries.get(entryId(name)));
    case 'PUT /entries/*':
      await entries.put(entryId(name), entryDraft(await bodyOf(request)));
      return { status: 204 };
    case 'GET /uploads':
      return found(await uploads.list());
    case 'GET /uploads/*':
      return found(await uploads.get(uploadName(name)));
    case 'PUT /uploads/*':
      await uploads.put(uploadName(name), await bodyOf(request));
      return { status: 204 };
    case 'GET /cache':
      return found(await cache.list());
    case 'GET /cache/*':
      return found(await cache.get(name ?? ''));
    case 'PUT /cache/*':
      await cache.put(name ?? '', (await bodyOf(request)).toString('utf8'));
      return { status: 204 };
    default:
      return notFound;
  }
}

function entryId(text: string | undefined): number {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id < 1) throw new BadRequest('An entry is named by a whole number.');
  return id;
}

function uploadName(name = ''): string {
  if (!uploads.isName(name))
    throw new BadRequest('Upload names are letters, digits, dots, dashes, underscores.');
  return name;
}

function entryDraft(body: Buffer): EntryDraft {
  const { author, text } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  if (typeof author !== 'string' || typeof text !== 'string') {
    throw new BadRequest('An entry has an author and a text.');
  }
  return { author, text };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyLimitBytes) throw new BadRequest('The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const isBinary = Buffer.isBuffer(body);
  response.writeHead(status, { 'content-type': isBinary ? 'application/octet-stream' : 'application/json' });
  response.end(isBinary ? body : body === undefined ? undefined : `${JSON.stringify(body)}\n`);
}

function failure(request: IncomingMessage, error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BadRequest || error instanceof SyntaxError || error instanceof URIError) {
    return { status: 400, body: { error: message } };
  }
  return { status: request.url === '/healthz' ? 503 : 500, body: { error: message } };
}

const server = createServer((request, response) => {
  answer(request)
    .catch((error: unknown) => failure(request, error))
    .then((result) => send(response, result))
    .catch(() => response.destroy());
});

server.listen(8080);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

while (!isPrepared) {
  try {
    await entries.prepare();
    isPrepared = true;
  } catch (error) {
    process.stderr.write(`waiting for the database: ${error}\n`);
    await setTimeout(500);
  }
}
