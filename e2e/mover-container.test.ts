import {
  chmodSync,
  chownSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject, docker, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { holdfastImage } from './support/image.ts';
import { mustRun } from './support/process.ts';
import { checkWithRestic, type ResticRepository } from './support/restic.ts';
import { treeOf } from './support/tree.ts';

/** A server in a container, and one that is a process and needs a container for volumes with options. */
type Server = HoldfastContainer | Holdfast;

const starts: Record<string, () => Promise<Server>> = {
  container: () => HoldfastContainer.start(),
  process: async () => await Holdfast.start({ HOLDFAST_IMAGE: await holdfastImage() }),
};

function onMachine(server: Server, repository: ResticRepository): ResticRepository {
  return server instanceof HoldfastContainer ? server.onMachine(repository) : repository;
}

/** Containers that Holdfast made for itself from this checkout's image. */
async function leftContainers(): Promise<string> {
  const image = await holdfastImage();
  return await docker(
    'ps',
    '--all',
    '--quiet',
    '--filter',
    `ancestor=${image}`,
    '--filter',
    'label=holdfast.internal',
  );
}

describe.each(Object.keys(starts))('mover containers of a server that is a %s', (form) => {
  let server: Server;
  let project: ComposeProject;
  let volume: (name: string) => Promise<string>;
  let backupId: string;
  let before: readonly string[];

  beforeAll(async () => {
    project = new ComposeProject('mounts', `mounts-${form}`);
    const bound = join(project.folder, 'bound');
    writeFileSync(join(project.folder, '.env'), `BOUND=${bound}\n`);
    for (const folder of ['bound', 'data', 'data/deep']) mkdirSync(join(project.folder, folder));
    writeFileSync(join(project.folder, 'settings.ini'), 'a = 1\n');
    writeFileSync(join(bound, 'inside'), 'of a volume with options');
    const data = join(project.folder, 'data');
    writeFileSync(join(data, 'deep', 'file'), 'of a folder of the project');
    chownSync(join(data, 'deep', 'file'), 1234, 4321);
    chmodSync(join(data, 'deep'), 0o711);
    symlinkSync('/etc', join(data, 'link'));
    lutimesSync(join(data, 'deep', 'file'), 1_000_000_000.25, 1_000_000_000.25);
    await mustRun('setfattr', ['--name=user.kind', '--value=odd', join(data, 'deep', 'file')]);
    await project.start();
    volume = async (name) => await volumeFolder(`${project.name}_${name}`);
    await project.sh('app', 'echo one > /files/one; mknod /files/null c 1 3; echo gone > /memory/gone');
    server = (await starts[form]?.()) as Server;
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await project?.[Symbol.asyncDispose]();
  });

  const state = async () =>
    [
      await volume('files'),
      await volume('empty'),
      ...['bound', 'data', 'settings.ini'].map((name) => join(project.folder, name)),
    ].flatMap(treeOf);

  it('takes a consistent backup that stock restic finds whole, and leaves nothing behind', async () => {
    before = await state();
    backupId = await server.createBackup(project.name);
    const backup = await server.getBackup(backupId);
    expect(backup.status).toBe('ready');
    expect(backup.mode).toBe('consistent');
    expect(backup.parts.map(({ name }) => name).sort()).toEqual([
      './data',
      './settings.ini',
      'code',
      'image:holdfast-test/busybox',
      ...['bound', 'empty', 'files', 'heart'].map((name) => `${project.name}_${name}`),
    ]);
    const listed = await server.mustRun([
      'backup:files',
      backupId,
      'code/project',
      '--format',
      'plain',
      '-c',
      'name',
    ]);
    expect(listed.trim().split('\n')).toEqual(['.env', 'compose.yaml']);
    expect(await state()).toEqual(before);
    expect(readdirSync(await volume('empty'))).toEqual([]);
    await checkWithRestic(onMachine(server, backup));
    expect(await leftContainers()).toBe('');
  });

  it('says why a volume in memory is left out', async () => {
    expect(await server.mustRun(['environment:get', project.name])).toMatch(
      /_memory +no +a volume in memory/,
    );
  });

  it('restores every kind of mount', async () => {
    await project.sh('app', 'rm -r /files/* /bound/*; echo new > /files/new; echo more > /empty/more');
    rmSync(join(project.folder, 'data'), { recursive: true });
    writeFileSync(join(project.folder, 'settings.ini'), 'a = 2\n');
    await server.mustRun(['backup:restore', backupId, '--yes']);
    expect(await state()).toEqual(before);
    expect(await project.sh('app', 'cat /settings.ini /data/deep/file /bound/inside')).toBe(
      'a = 1\nof a folder of the projectof a volume with options',
    );
    const attribute = await mustRun('getfattr', ['--dump', join(project.folder, 'data/deep/file')]);
    expect(attribute).toContain('user.kind="odd"');
    expect(await project.restartPolicy('app')).toBe('always');
    expect(await leftContainers()).toBe('');
  });

  it('fails for a volume that became empty, unless that is accepted', async () => {
    await project.sh('app', 'rm -r /bound/*');
    const { status, stderr } = await server.run(['backup:create', project.name]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/_bound/);
    const accepted = await server.createBackup(project.name, '--allow-empty');
    expect((await server.getBackup(accepted)).status).toBe('ready');
  });
});
