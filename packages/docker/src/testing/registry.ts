import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

/** An image that an engine has pulled from a registry on loopback, for which Docker asks no TLS. Removed at the end. */
export interface ServedImage extends AsyncDisposable {
  /** `127.0.0.1:PORT/app:latest` */
  readonly reference: string;
  /** `127.0.0.1:PORT/app@sha256:…` */
  readonly digest: string;
  /** Has the engine lose it: the registry keeps it. */
  remove(): void;
}

type Blobs = Map<string, Buffer>;

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

/** @param base an image of the engine: the one that is served differs by a label */
export async function serveImage(
  { host, images }: Pick<DockerEngine, 'host' | 'images'>,
  base: string,
): Promise<ServedImage> {
  const docker = (args: readonly string[], input?: string): string =>
    execFileSync('docker', ['-H', host, ...args], { input, encoding: 'utf8', stdio: 'pipe' });
  const name = `hftest-${randomBytes(4).toString('hex')}`;
  docker(['build', '--quiet', '--tag', name, '-'], `FROM ${base}\nLABEL only=${name}\n`);
  const archive = await buffer(images.save(name));
  docker(['rmi', name]);
  const { port, manifest, close } = await openRegistry(archive);
  const reference = `127.0.0.1:${port}/app:latest`;
  await images.pull(reference);
  const remove = (): void => void docker(['rmi', '--force', reference]);
  return {
    reference,
    digest: `127.0.0.1:${port}/app@${manifest}`,
    remove,
    [Symbol.asyncDispose]: async () => {
      if ((await images.inspect(reference)) !== undefined) remove();
      await close();
    },
  };
}

/** @param archive what `docker save` wrote of one image */
async function openRegistry(archive: Uint8Array) {
  const blobs: Blobs = new Map();
  const manifest = add(blobs, manifestOf(archive, blobs));
  const server = createServer((request, response) => answer({ blobs, manifest }, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, manifest, close };
}

/** Adds all that it names to the blobs. */
function manifestOf(archive: Uint8Array, blobs: Blobs): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-registry-'));
  try {
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    const read = (path: string): Buffer => readFileSync(join(folder, path));
    const [{ Config: config, Layers: layers }] = JSON.parse(read('manifest.json').toString());
    const described = (mediaType: string, bytes: Buffer) => {
      return { mediaType, size: bytes.length, digest: add(blobs, bytes) };
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: described('application/vnd.docker.container.image.v1+json', read(config)),
      layers: layers.map((layer: string) =>
        described('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(read(layer), { level: 1 })),
      ),
    };
    return Buffer.from(JSON.stringify(manifest));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function add(blobs: Blobs, bytes: Buffer): string {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  blobs.set(digest, bytes);
  return digest;
}

function answer(
  { blobs, manifest }: { readonly blobs: Blobs; readonly manifest: string },
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  if (url === '/v2/') return void response.end('{}');
  const [, kind, wanted = ''] = /^\/v2\/app\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
  const digest = kind === 'manifests' && wanted === 'latest' ? manifest : wanted;
  const bytes = blobs.get(digest);
  if (bytes === undefined) return void response.writeHead(404).end('{"errors":[]}');
  response.writeHead(200, {
    'Content-Type': kind === 'manifests' ? manifestType : 'application/octet-stream',
    'Content-Length': bytes.length,
    'Docker-Content-Digest': digest,
  });
  response.end(method === 'HEAD' ? undefined : bytes);
}
