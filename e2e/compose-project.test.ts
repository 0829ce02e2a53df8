import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareTrees } from '@holdfast/engine/testing';
import { type Backup, environmentModelSchema, isOfMount, routes } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, docker, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually, mustRun } from './support/process.ts';
import { checkWithRestic, restic } from './support/restic.ts';

/**
 * A Compose project that no code names: two services that share a volume, an anonymous volume, a bind-mounted folder and file
 * inside the project, Docker's socket and /etc/localtime mounted, a service that has ended.
 */
let holdfast: Holdfast;
let project: ComposeProject;
let backup: Backup;
let copies: string;

const environment = 'odd';
const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');

beforeAll(async () => {
  process.env.DOCKER_SOCKET = socket;
  copies = mkdtempSync(join(tmpdir(), 'holdfast-copies-'));
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('odd', environment);
  await eventually('the app writes', async () => {
    const { status } = await project.tryCompose('exec', '-T', 'writer', 'test', '-s', '/shared/ticks');
    return status === 0;
  });
  await project.sh(
    'writer',
    'echo scratch > /scratch/note; mkdir -p /shared/deep/er; ln -s ../ticks /shared/deep/link',
  );
  await project.sh(
    'writer',
    'ln /shared/ticks /shared/deep/hard; chmod 750 /shared/deep; chown 123:456 /shared/deep',
  );
  const ledger = await volumeFolder('odd_ledger');
  writeFileSync(join(ledger, 'book'), 'one\ntwo\n');
  utimesSync(join(ledger, 'book'), 1, 1);
  chmodSync(ledger, 0o1770);
  await mustRun('setfattr', ['-n', 'user.note', '-v', 'kept', join(ledger, 'book')]);
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(copies, { recursive: true, force: true });
});

it('environment:get shows every mount with yes or no and why', async () => {
  const shown = routes['environment.get'].response.parse(
    JSON.parse(await holdfast.mustRun(['environment:get', environment, '--format', 'json'])),
  );
  expect(shown.state).toBe('active');
  expect(shown.components.map(({ name }) => name).sort()).toEqual(['batch', 'reader', 'writer']);
  const decisions = shown.mounts.flatMap(({ mountPoints, included }) =>
    mountPoints.map(({ path }) => `${path} ${included ? 'yes' : 'no'}`),
  );
  expect(decisions.sort()).toEqual([
    '/data/shared yes',
    '/etc/localtime no',
    '/etc/motd yes',
    '/ledger yes',
    '/run/fast no',
    '/scratch yes',
    '/settings yes',
    '/shared yes',
    '/var/run/docker.sock no',
  ]);
  const shared = shown.mounts.find(({ name }) => name === 'odd_shared');
  expect(shared?.mountPoints.map(({ component, path }) => `${component}:${path}`).sort()).toEqual([
    'reader:/data/shared',
    'writer:/shared',
  ]);
  for (const mount of shown.mounts) expect(mount.reason).toMatch(/\w+ \w+/);
});

it('backup:create stores each source once, and the app goes on', async () => {
  const id = await holdfast.createBackup(environment, '--description', 'before the fall');
  backup = await holdfast.getBackup(id);
  expect(backup.status).toBe('ready');
  expect(backup.mode).toBe('consistent');
  expect(dataOf(backup)).toHaveLength(5);
  const others = backup.parts.filter(({ source }) => !isOfMount(source)).map(({ name }) => name);
  expect(others).toEqual(['code', 'image:holdfast-test/busybox']);
  expect(await project.containerState('writer')).toBe('running');
  expect(await project.containerState('batch')).toBe('exited');
  const before = await project.sh('writer', 'wc -l < /shared/ticks');
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(Number(await project.sh('writer', 'wc -l < /shared/ticks'))).toBeGreaterThan(Number(before));
});

/** The parts that are of mounts. */
function dataOf({ parts }: Backup): Backup['parts'] {
  return parts.filter(({ source }) => isOfMount(source));
}

async function folderOf(source: Backup['parts'][number]['source']): Promise<string> {
  switch (source.kind) {
    case 'bind':
      return source.path;
    case 'volume':
    case 'anonymous':
      return await volumeFolder(source.name);
    default:
      throw new Error('No part of this is of another kind.');
  }
}

it('stock restic checks the repository and restores each part byte-identical to its source', async () => {
  await checkWithRestic(backup);
  await project.compose('stop', '--timeout', '1');
  const id = await holdfast.createBackup(environment);
  backup = await holdfast.getBackup(id);
  for (const part of dataOf(backup)) {
    const target = join(copies, part.snapshotId);
    await restic(backup, ['restore', part.snapshotId, '--target', target]);
    const source = await folderOf(part.source);
    expect(await compareTrees(source, join(target, 'data'))).toEqual([]);
  }
});

it('code, configuration and the image that no registry has are in it, for stock restic too', async () => {
  const snapshotOf = (name: string) => backup.parts.find((part) => part.name === name)?.snapshotId ?? '';
  const target = join(copies, 'code');
  await restic(backup, ['restore', snapshotOf('code'), '--target', target]);
  const kept = readdirSync(join(target, 'data/project')).sort();
  expect(kept).toEqual(
    readdirSync(project.folder)
      .filter((name) => !['motd', 'settings'].includes(name))
      .sort(),
  );
  const model = environmentModelSchema.parse(
    JSON.parse(readFileSync(join(target, 'data/model.json'), 'utf8')),
  );
  expect(model.containers.map(({ component }) => component).sort()).toEqual(['batch', 'reader', 'writer']);
  // Of the shell alone: no file has it.
  expect(JSON.stringify(model)).toContain(socket);
  const image = await restic(backup, ['dump', snapshotOf('image:holdfast-test/busybox'), '/data']);
  expect(image).toContain('manifest.json');
});

it('backup:files lists it folder by folder, and a file or all of it can be downloaded', async () => {
  const names = async (...words: string[]): Promise<string[]> => {
    const listed = await holdfast.mustRun([
      'backup:files',
      backup.id,
      ...words,
      '--format',
      'plain',
      '-c',
      'name',
    ]);
    return listed.trim().split('\n');
  };
  expect((await names()).sort()).toEqual(backup.parts.map(({ name }) => name).sort());
  expect(await names('odd_shared')).toEqual(['deep', 'ticks']);
  expect(await names('odd_shared/deep')).toEqual(['er', 'hard', 'link']);

  const file = join(copies, 'app.conf');
  await holdfast.mustRun(['backup:download', backup.id, '--path', 'settings/app.conf', '-o', file]);
  expect(readFileSync(file, 'utf8')).toBe('level=1\n');

  const archive = join(copies, 'all.tar.zst');
  const unpacked = join(copies, 'unpacked');
  expect(await holdfast.mustRun(['backup:download', backup.id, '-o', archive])).toBe(`${archive}\n`);
  mkdirSync(unpacked);
  const flags = ['--xattrs', '--xattrs-include=*', '--same-owner', '-p'];
  await mustRun('tar', [...flags, '-xf', archive, '-C', unpacked]);
  const { parts } = JSON.parse(readFileSync(join(unpacked, 'holdfast-backup.json'), 'utf8'));
  for (const part of dataOf(backup)) {
    const { path } = parts.find(({ name }: { name: string }) => name === part.name);
    expect(compareTrees(await folderOf(part.source), join(unpacked, path))).toEqual([]);
  }
  const wrong = await holdfast.run([
    'backup:download',
    backup.id,
    '--path',
    'odd_shared/nothing',
    '-o',
    file,
  ]);
  expect(wrong).toMatchObject({ status: 4, stderr: expect.stringContaining('error[path-unknown]') });
  expect(readFileSync(file, 'utf8')).toBe('level=1\n');
});

it('vault:kit has all that stock restic needs', async () => {
  const file = join(copies, 'kit.txt');
  await holdfast.mustRun(['vault:kit', '-o', file]);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
  const kit = readFileSync(file, 'utf8');
  const found = /location: +(?<location>.+)\n +recovery key: +(?<key>[0-9a-f]{64})\n/.exec(kit)?.groups;
  const folders = readdirSync(found?.location ?? '').filter((name) => name.startsWith(`${environment}-`));
  const [repository] = folders.map((name) => join(found?.location ?? '', name));
  expect(repository).toBe(backup.repository);
  writeFileSync(join(copies, 'key'), found?.key ?? '');
  const lone = { repository: backup.repository, passwordFile: join(copies, 'key') };
  const tagged = await restic(lone, ['snapshots', '--tag', `holdfast:backup=${backup.id}`, '--json']);
  expect(JSON.parse(tagged)).toHaveLength(backup.parts.length + 1);
  const again = await holdfast.run(['vault:kit', '-o', file]);
  expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('is there already') });
});

it('all data destroyed by `down -v` comes back under Compose’s own names and labels', async () => {
  const sharedBefore = await mustRun('sha256sum', [join(await volumeFolder('odd_shared'), 'ticks')]);
  const labelsBefore = await docker('volume', 'inspect', '--format', '{{json .Labels}}', 'odd_ledger');
  await project.compose('down', '--volumes', '--timeout', '1');
  writeFileSync(join(project.folder, 'settings/app.conf'), 'level=broken');
  rmSync(join(project.folder, 'motd'));
  writeFileSync(join(project.folder, 'beside'), 'untouched');
  const besideBefore = lstatSync(join(project.folder, 'beside')).ctimeMs;

  const restored = await holdfast.run(['backup:restore', backup.id, '--no-code', '--yes']);
  expect(restored.status, restored.stderr).toBe(3);
  expect(restored.stderr).toMatch(/anonymous volume/);

  expect(await docker('volume', 'inspect', '--format', '{{json .Labels}}', 'odd_ledger')).toBe(labelsBefore);
  expect(await mustRun('sha256sum', [join(await volumeFolder('odd_shared'), 'ticks')])).toBe(sharedBefore);
  expect(readFileSync(join(project.folder, 'settings/app.conf'), 'utf8')).toBe('level=1\n');
  expect(readFileSync(join(project.folder, 'motd'), 'utf8')).toBe('welcome\n');
  expect(lstatSync(join(project.folder, 'beside')).ctimeMs).toBe(besideBefore);
  for (const part of dataOf(backup).filter(({ source }) => source.kind !== 'anonymous')) {
    const source = await folderOf(part.source);
    expect(await compareTrees(join(copies, part.snapshotId, 'data'), source)).toEqual([]);
  }

  const up = await project.tryCompose('up', '--no-start');
  expect(up.status, up.stderr).toBe(0);
  expect(up.stdout + up.stderr).not.toMatch(/warn|already exists/i);
});

it('the anonymous volume comes back once its container exists', async () => {
  const restored = await holdfast.run(['backup:restore', backup.id, '--yes']);
  expect(restored.status, restored.stderr).toBe(0);
  await project.compose('up', '--detach');
  expect(await project.sh('writer', 'cat /scratch/note')).toBe('scratch\n');
});

it('with the code its containers come back too, with what they had in anonymous volumes and bound files', async () => {
  await project.compose('down', '--volumes', '--timeout', '1');
  rmSync(join(project.folder, 'motd'));
  const restored = await holdfast.run(['backup:restore', backup.id, '--yes']);
  expect(restored.status, restored.stderr).toBe(0);
  // They were stopped when the backup was taken.
  expect(await project.containerState('writer')).toBe('created');
  await project.compose('up', '--detach');
  expect(await project.sh('writer', 'cat /scratch/note')).toBe('scratch\n');
  expect(await project.sh('writer', 'cat /etc/motd')).toBe('welcome\n');
});

it('a volume with mount options is refused, with its app stopped, and no backup is left behind as ready', async () => {
  const device = mkdtempSync(join(tmpdir(), 'holdfast-device-'));
  writeFileSync(join(device, 'precious'), 'x');
  await docker(
    ...[
      'volume',
      'create',
      '--label',
      'com.docker.compose.project=odd',
      '--label',
      'com.docker.compose.volume=tied',
    ],
    ...['-o', 'type=none', '-o', 'o=bind', '-o', `device=${device}`, 'odd_tied'],
  );
  await docker(
    ...['create', '--name', 'odd-tied-1', '--label', 'com.docker.compose.project=odd'],
    ...[
      '--label',
      'com.docker.compose.service=tied',
      '-v',
      'odd_tied:/tied',
      'holdfast-test/busybox',
      'true',
    ],
  );
  try {
    const refused = await holdfast.run(['backup:create', environment]);
    expect(refused.status).toBe(6);
    expect(refused.stderr).toMatch(/^error\[mount-needs-container\]: .*odd_tied/m);
    expect(
      (await holdfast.mustRun(['backup:list', environment, '--format', 'csv'])).split('\n')[1],
    ).not.toMatch(/ready/);
    expect(await mustRun('ls', ['-A', await volumeFolder('odd_tied')])).toBe('');
    expect(readFileSync(join(device, 'precious'), 'utf8')).toBe('x');
  } finally {
    await docker('rm', '-f', 'odd-tied-1');
    await docker('volume', 'rm', 'odd_tied');
    rmSync(device, { recursive: true });
  }
});
