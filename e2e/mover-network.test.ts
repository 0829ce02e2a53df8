import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bucket } from './support/bucket.ts';
import { ComposeProject, docker } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { holdfastImage } from './support/image.ts';

/** A mover in a container reaches the storage that its server reaches, and in no other way. */

let project: ComposeProject;
let bucket: Bucket;

beforeAll(async () => {
  bucket = await Bucket.make();
  // It has a volume with options, which only a container can read.
  project = new ComposeProject('mounts', 'mover-network');
  const bound = join(project.folder, 'bound');
  writeFileSync(join(project.folder, '.env'), `BOUND=${bound}\n`);
  for (const folder of ['bound', 'data']) mkdirSync(join(project.folder, folder));
  writeFileSync(join(project.folder, 'settings.ini'), 'a = 1\n');
  await project.start();
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await bucket?.[Symbol.asyncDispose]();
});

it('of a server that is a process: a bucket on the loopback of its machine', async () => {
  await using holdfast = await Holdfast.start({ HOLDFAST_IMAGE: await holdfastImage() });
  const key = ['--key-id', bucket.key.id, '--key-secret-file', bucket.key.file];
  await holdfast.mustRun(['vault:add', 'cloud', '--s3', bucket.place, ...key, '--default']);
  const backup = await holdfast.getBackup(await holdfast.createBackup(project.name));
  expect(backup.status).toBe('ready');
  expect(backup.repository).toMatch(/^s3:http:\/\/127\.0\.0\.1:/);
});

it('of a server in a container: a bucket that only its Compose project can name', async () => {
  // From the bridge of the engine to the loopback that the S3 server listens on.
  const target = new URL(bucket.place);
  await using wire = await openWire(await gateway(), Number(target.port));
  const forward = `require('node:net').createServer((from) => {
    const to = require('node:net').connect(${wire.port}, '${wire.host}');
    for (const [a, b] of [[from, to], [to, from]]) a.on('error', () => b.destroy()).pipe(b);
  }).listen(9000)`;
  const command = JSON.stringify(['node', '-e', forward.replaceAll('$', '$$')]);
  const beside = `  storage:\n    image: ${await holdfastImage()}\n    entrypoint: []\n    user: root\n    command: ${command}`;
  await using holdfast = await HoldfastContainer.start({ beside });
  await docker('cp', bucket.key.file, `${holdfast.container}:/tmp/secret`);
  const place = `http://storage:9000${target.pathname}/in-container`;
  const key = ['--key-id', bucket.key.id, '--key-secret-file', '/tmp/secret'];
  await holdfast.mustRun(['vault:add', 'cloud', '--s3', place, ...key, '--default']);
  const backup = await holdfast.getBackup(await holdfast.createBackup(project.name));
  expect(backup.status).toBe('ready');
  expect(backup.repository).toMatch(/^s3:http:\/\/storage:9000\//);
});

async function gateway(): Promise<string> {
  const [network] = JSON.parse(await docker('network', 'inspect', 'bridge')) as {
    readonly IPAM: { readonly Config: readonly { readonly Gateway: string }[] };
  }[];
  return network?.IPAM.Config[0]?.Gateway ?? '';
}

async function openWire(host: string, port: number) {
  const server: Server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      a.on('error', () => b.destroy()).pipe(b);
    }
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => await new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
