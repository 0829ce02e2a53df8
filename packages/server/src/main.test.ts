import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createClient, serverFileSchema } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './testing/temporary-directory.ts';

const main = join(import.meta.dirname, 'main.ts');

/** The program as a user starts it. What it still runs when the test ends is killed. */
function run(args: readonly string[], environment: Record<string, string> = {}) {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, DOCKER_HOST: 'unix:///nonexistent.sock', ...environment },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => {
    out += String(bytes);
  });
  const exited = once(child, 'close').then(([status]: unknown[]) => ({ status, out, err }));
  const listening = new Promise<void>((resolve) => {
    child.stderr.on('data', (bytes) => {
      err += String(bytes);
      if (err.includes('listens on')) resolve();
    });
  });
  return {
    child,
    exited,
    /** Resolves once it listens; rejects when it ended instead. */
    ready: async (): Promise<void> => {
      const ended = exited.then((end) => {
        throw new Error(`It ended: ${JSON.stringify(end)}`);
      });
      await Promise.race([listening, ended]);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function clientOf(data: string) {
  const { url } = serverFileSchema.parse(JSON.parse(await readFile(join(data, 'server.json'), 'utf8')));
  const token = (await readFile(join(data, 'token'), 'utf8')).trim();
  return createClient({ url, token });
}

test('starts without Docker, tells where it is, and stops on a signal', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  await using server = run(['--data', data, '--listen', '127.0.0.1:0']);
  await server.ready();
  const client = await clientOf(data);
  expect(await client.call('server.health', {})).toMatchObject({ status: 'ok' });
  expect(await client.call('vault.list', {})).toMatchObject({ vaults: [{ status: 'ok' }] });
  for (const file of ['server.json', 'token', 'seal.key', 'catalog.sqlite', 'recovery/default.key']) {
    expect((await stat(join(data, file))).mode & 0o777, file).toBe(0o600);
  }
  for (const folder of ['.', 'recovery', 'tasks']) {
    expect((await stat(join(data, folder))).mode & 0o777, folder).toBe(0o700);
  }

  server.child.kill('SIGTERM');
  const { status, err, out } = await server.exited;
  expect([status, out]).toEqual([0, '']);
  expect(err).toMatch(/^Holdfast \S+ listens on http:\/\/127\.0\.0\.1:\d+ /m);
  expect(err).not.toContain((await readFile(join(data, 'token'), 'utf8')).trim());
  await expect(access(join(data, 'server.json'))).rejects.toThrow();
});

test('a second server on the same data directory is refused; after a kill the next one starts', async () => {
  await using directory = await temporaryDirectory();
  const args = ['--data', directory.path, '--listen', '127.0.0.1:0'];
  {
    await using first = run(args);
    await first.ready();
    const before = await clientOf(directory.path);
    const second = await run(args).exited;
    expect(second.status).toBe(6);
    expect(second.err).toMatch(/^error\[server-already-running\]: .+\. .+\n$/);
    expect(await before.call('server.health', {})).toMatchObject({ status: 'ok' });
  }
  await using third = run(args);
  await third.ready();
  expect(await (await clientOf(directory.path)).call('vault.list', {})).toMatchObject({ vaults: [{}] });
});

test('an address that is taken is refused with a code', async () => {
  await using directory = await temporaryDirectory();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { status, err } = await run(['--data', directory.path, '--listen', `127.0.0.1:${port}`]).exited;
  other.close();
  expect(status).toBe(6);
  expect(err).toMatch(/^error\[address-in-use\]: /);
  await expect(access(join(directory.path, 'server.json'))).rejects.toThrow();
});

test.each([
  ['an unknown flag', ['--dta', '/x'], 2, /^error\[usage-invalid\]: .*--dta/],
  ['a wrong value', ['--concurrency', 'many'], 2, /^error\[configuration-invalid\]: --concurrency has to be/],
  [
    'a data directory that is a file',
    ['--data', main],
    2,
    /^error\[configuration-invalid\]: The data directory/,
  ],
  [
    'a catalog that does not answer',
    ['--catalog-url', 'postgres://127.0.0.1:9/none'],
    1,
    /^error\[catalog-unreachable\]: /,
  ],
])('%s is refused in one line', async (_, args, expected, message) => {
  await using directory = await temporaryDirectory();
  const { status, err, out } = await run(args, { HOLDFAST_DATA: directory.path }).exited;
  expect([status, out]).toEqual([expected, '']);
  expect(err).toMatch(message);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});

test('a damaged configuration file is refused', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'holdfast.yaml'), 'lissten: 127.0.0.1:0\n');
  const { status, err } = await run(['--data', directory.path]).exited;
  expect(status).toBe(2);
  expect(err).toMatch(/^error\[configuration-invalid\]: There is no key lissten/);
});

test('help goes to standard output', async () => {
  const { status, out, err } = await run(['--help']).exited;
  expect([status, err]).toEqual([0, '']);
  expect(out).toMatch(/--listen HOST:PORT/);
});
