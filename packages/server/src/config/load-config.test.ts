import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { type LoadConfigOptions, loadConfig } from './load-config.ts';

async function setUp() {
  const directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  await mkdir(data);
  const load = async (options: Partial<LoadConfigOptions> = {}) =>
    await loadConfig({
      flags: {},
      environment: { HOLDFAST_DATA: data },
      isRoot: false,
      workingDirectory: directory.path,
      ...options,
    });
  return { directory, data, load };
}

test('has defaults for everything', async () => {
  await using directory = await temporaryDirectory();
  const options = { flags: {}, workingDirectory: '/', isRoot: false };
  const config = await loadConfig({ ...options, environment: { HOME: directory.path } });
  expect(config).toEqual({
    dataDirectory: join(directory.path, '.local/share/holdfast'),
    listen: { host: '127.0.0.1', port: 8420 },
    dockerHost: 'unix:///var/run/docker.sock',
    vaultDirectory: join(directory.path, '.local/share/holdfast/vault'),
    catalogUrl: null,
    holdLimitMs: 10_000,
    concurrency: 2,
    followsSchedules: true,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    codeLimits: { bytes: 5 * 2 ** 30, entries: 500_000 },
    composeProgram: null,
    imports: {
      allowedRanges: [],
      limitBytes: 2 ** 40,
      limitMs: 86_400_000,
      archiveLimits: { entries: 2_000_000, unpackedBytes: 2 ** 40, ratio: 1000 },
    },
    image: null,
    logLevel: 'info',
  });
  const xdg = await loadConfig({ ...options, environment: { XDG_DATA_HOME: directory.path } });
  expect(xdg.dataDirectory).toBe(join(directory.path, 'holdfast'));
  const root = await loadConfig({ ...options, isRoot: true, environment: {} });
  expect(root.dataDirectory).toBe('/var/lib/holdfast');
});

test('a flag comes before a variable, a variable before the file; an empty variable is none', async () => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  await writeFile(
    join(data, 'holdfast.yaml'),
    'concurrency: 5\nhold-limit: 90s\nvault: ../backups\nlisten:\n',
  );
  const environment = { HOLDFAST_DATA: data, HOLDFAST_CONCURRENCY: '6', HOLDFAST_HOLD_LIMIT: '' };
  const config = await load({ environment, flags: { listen: '[::1]:0' } });
  expect(config).toMatchObject({
    concurrency: 6,
    holdLimitMs: 90_000,
    vaultDirectory: join(directory.path, 'backups'),
    listen: { host: '::1', port: 0 },
  });
  expect((await load({ environment, flags: { concurrency: '7' } })).concurrency).toBe(7);
});

test("HOLDFAST_DOCKER_HOST comes before Docker's own variable", async () => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  const environment = { HOLDFAST_DATA: data, DOCKER_HOST: 'unix:///run/theirs.sock' };
  expect((await load({ environment })).dockerHost).toBe('unix:///run/theirs.sock');
  const both = { ...environment, HOLDFAST_DOCKER_HOST: 'unix:///run/ours.sock' };
  expect((await load({ environment: both })).dockerHost).toBe('unix:///run/ours.sock');
});

test('the file may name the data directory only where it was not found in it', async () => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  const path = join(directory.path, 'server.yaml');
  await writeFile(path, 'data: data\n');
  expect(await load({ environment: { HOLDFAST_CONFIG: 'server.yaml' } })).toMatchObject({
    dataDirectory: data,
  });
  await writeFile(join(data, 'holdfast.yaml'), 'data: /elsewhere\n');
  await expect(load()).rejects.toMatchObject({ code: 'configuration-invalid' });
});

test.each([
  ['concurency: 3', /no key concurency/],
  ['concurrency: 0', /whole number from 1 to 64 but is "0"/],
  ['concurrency: [1]', /text or a number/],
  ['listen: 8420', /HOST:PORT/],
  ['listen: localhost:99999', /HOST:PORT/],
  ['hold-limit: 10', /duration/],
  ['hold-limit: 100d', /duration/],
  ['docker-host: tcp://example.org', /unix:/],
  ['log-level: loud', /one of debug, info/],
  ['import-allow: 10.0.0.0', /address ranges/],
  ['import-allow: 10.0.0.0/33', /address ranges/],
  ['import-allow: example.org/8', /address ranges/],
  ['import-limit-bytes: 10X', /size/],
  ['- a', /holds no keys/],
  ['"', /not YAML \(line 1\)/],
])('refuses the file %j with a reason', async (text, message) => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  await writeFile(join(data, 'holdfast.yaml'), text);
  await expect(load()).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/./),
  });
});

test('a wrong secret is not shown', async () => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  const environment = { HOLDFAST_DATA: data, HOLDFAST_CATALOG_URL: 'mysql://user:secret@host/db' };
  const failure = await load({ environment }).catch(
    (error: unknown) => JSON.stringify(error) + String(error),
  );
  expect(failure).toMatch(/HOLDFAST_CATALOG_URL has to be postgres/);
  expect(failure).not.toMatch(/secret/);
});

test('a file that was named has to be there', async () => {
  const { directory, load } = await setUp();
  await using _ = directory;
  const environment = { HOLDFAST_CONFIG: 'missing.yaml' };
  await expect(load({ environment })).rejects.toMatchObject({ code: 'configuration-invalid' });
});

test('address ranges and sizes are read', async () => {
  const { directory, data, load } = await setUp();
  await using _ = directory;
  const environment = { HOLDFAST_DATA: data, HOLDFAST_IMPORT_ALLOW: '10.0.0.0/8, fd00::/64' };
  const { imports } = await load({ environment, flags: { 'import-limit-bytes': '2G' } });
  expect(imports).toMatchObject({
    allowedRanges: ['10.0.0.0/8', 'fd00::/64'],
    limitBytes: 2 * 1024 ** 3,
  });
});
