import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backup } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../../testing/docker-server.ts';
import { bindMount, openTestProject, type TestProject, volumeMount } from '../../../testing/test-project.ts';

const commit = 'abcdef0123'.repeat(4);
let server: DockerServer;
let project: TestProject;
let volumePath: string;

beforeAll(async () => {
  server = await openDockerServer(['--code-limit-entries', '50']);
  project = await openTestProject();
  const data = await project.volume('data');
  volumePath = await project.pathOf(data);
  writeFileSync(join(volumePath, 'file'), 'old');
  const { folder } = project;
  for (const name of ['.git', 'conf', 'secret', 'src']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, '.git/HEAD'), `${commit}\n`);
  writeFileSync(join(folder, 'conf/site'), 'of a part of its own');
  writeFileSync(join(folder, 'secret/key'), 'left out for a reason');
  writeFileSync(join(folder, 'src/app.js'), 'run()');
  writeFileSync(join(folder, 'compose.yaml'), 'services: {}\n');
  symlinkSync('/etc', join(folder, 'etc'));
  await project.service('web', {
    mounts: [
      volumeMount(data, '/data'),
      bindMount(join(folder, 'conf'), '/conf'),
      bindMount(join(folder, 'secret'), '/secret'),
    ],
    labels: {
      'holdfast.exclude': './secret',
      'com.docker.compose.project.config_files': join(folder, 'compose.yaml'),
    },
  });
  await project.service('idle', { isStarted: false });
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

async function backUp(body: { readonly code?: boolean; readonly components?: string[] } = {}) {
  const params = { environment: project.name };
  const { job, backupId } = await server.client.call('backup.create', { params, body });
  const ended = await server.ended(job);
  const backup = await server.client.call('backup.get', { params: { backup: backupId } });
  return { job: ended, backup };
}

function namesOf({ parts }: Backup): string[] {
  return parts.map(({ name }) => name).sort();
}

/** The folder that an unpacked download of it is in. */
async function unpacked(
  { id }: Backup,
  query: { readonly part: string; readonly path?: string },
): Promise<string> {
  const response = await server.client.open('backup.download', {
    params: { backup: id },
    query: { ...query, format: 'tar' },
  });
  const into = mkdtempSync(join(tmpdir(), 'holdfast-code-'));
  writeFileSync(join(into, 'archive.tar'), Buffer.from(await response.arrayBuffer()));
  execFileSync('tar', ['-xf', join(into, 'archive.tar'), '-C', into]);
  rmSync(join(into, 'archive.tar'));
  return into;
}

describe('code and configuration', () => {
  let first: Backup;
  const image = `image:${process.env.HOLDFAST_TEST_IMAGE}`;
  const data = () => `${project.name}_data`;

  test('are a part of their own, without what is mounted from the folder', async () => {
    const { job, backup } = await backUp();
    first = backup;
    expect(job).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect(backup).toMatchObject({ status: 'ready', mode: 'consistent', commitId: commit });
    expect(namesOf(backup)).toEqual(['./conf', 'code', data(), image].sort());
    expect(backup.parts.find(({ name }) => name === 'code')).toMatchObject({
      source: { kind: 'code', commitId: commit, isWhole: true },
      mountPoints: [],
    });
    const into = await unpacked(backup, { part: 'code' });
    const listed = execFileSync('find', [into, '-mindepth', '1', '-printf', '%P\n'], { encoding: 'utf8' });
    const names = listed
      .trim()
      .split('\n')
      .map((name) => name.replace(/^(?:data|code)\/?/, ''));
    expect(names.filter((name) => name !== '').sort()).toEqual(
      ['.git', '.git/HEAD', 'compose.yaml', 'etc', 'src', 'src/app.js']
        .map((name) => `project/${name}`)
        .concat('model.json', 'project')
        .sort(),
    );
    rmSync(into, { recursive: true });
  });

  test('an image that no registry has is kept once, by its components, and taken over from the last backup', async () => {
    const [part] = first.parts.filter(({ source }) => source.kind === 'image');
    expect(part).toMatchObject({ files: 1, source: { components: ['idle', 'web'] } });
    const { backup } = await backUp();
    const [taken] = backup.parts.filter(({ source }) => source.kind === 'image');
    expect(taken).toMatchObject({ treeId: part?.treeId, storedBytes: 0 });
    const response = await server.client.open('backup.diff', {
      params: { backup: first.id },
      query: { with: backup.id },
    });
    expect(await response.json()).toEqual({ differences: [], isMore: false });
  });

  test('the model is in no answer, no log and no row', async () => {
    const { log } = await server.client.call('backup.log', { params: { backup: first.id } });
    const job = await server.client.call('job.get', { params: { job: first.jobId ?? '' } });
    for (const said of [log, job, first]) expect(JSON.stringify(said)).not.toContain('hostConfig');
    const catalog = execFileSync('sh', ['-c', 'cat "$1"/catalog*', 'sh', server.dataDirectory], {
      encoding: 'latin1',
    });
    expect(catalog).toContain(first.id);
    expect(catalog).not.toContain('hostConfig');
  });

  test('are left out where that is asked for; of chosen components, there are only the images', async () => {
    expect(namesOf((await backUp({ code: false })).backup)).toEqual(['./conf', data()]);
    const { backup } = await backUp({ components: ['web'] });
    expect(namesOf(backup)).toEqual(['./conf', data(), image].sort());
    expect(backup.commitId).toBeNull();
    expect(backup.parts.find(({ name }) => name === image)?.source).toMatchObject({ components: ['web'] });
  });

  test('a restore of data leaves them alone, and one of all brings the folder back', async () => {
    writeFileSync(join(volumePath, 'file'), 'new');
    writeFileSync(join(project.folder, 'src/app.js'), 'changed');
    const params = { backup: first.id };
    for (const [code, expected] of [
      [false, 'changed'],
      [true, 'run()'],
    ] as const) {
      const { job } = await server.client.call('backup.restore', { params, body: { code } });
      expect(await server.ended(job)).toMatchObject({ state: 'done', error: null, warnings: [] });
      expect(readFileSync(join(volumePath, 'file'), 'utf8')).toBe('old');
      expect(readFileSync(join(project.folder, 'src/app.js'), 'utf8')).toBe(expected);
    }
    const idle = await server.client.call('backup.restore', {
      params: { backup: first.id },
      body: { components: ['idle'] },
    });
    expect(await server.ended(idle.job)).toMatchObject({
      state: 'failed',
      error: { code: 'environment-empty' },
    });
  });

  test('of a folder above the limits only the Compose files are kept, and that is told', async () => {
    for (let file = 0; file < 60; file += 1) writeFileSync(join(project.folder, `src/${file}`), '');
    const { job, backup } = await backUp();
    expect(job).toMatchObject({
      state: 'warnings',
      warnings: [expect.stringContaining('more than 50 entries')],
    });
    expect(backup).toMatchObject({ status: 'ready', mode: 'consistent', commitId: null });
    const into = await unpacked(backup, { part: 'code', path: 'project' });
    expect(execFileSync('find', [into, '-type', 'f', '-printf', '%f\n'], { encoding: 'utf8' })).toBe(
      'compose.yaml\n',
    );
    rmSync(into, { recursive: true });
  });
});
