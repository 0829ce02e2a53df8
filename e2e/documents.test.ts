import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ComposeProject } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { mustRun } from './support/process.ts';

/**
 * What the clouds' own documents tell their users to do with a backup of an app, step by step, as the API and the command
 * can do it. A test is called after the step.
 */
const environment = 'documents';

let holdfast: Holdfast;
let project: ComposeProject;
let folder: string;
let backupId: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-documents-'));
  holdfast = await Holdfast.start({ HOLDFAST_IMPORT_ALLOW: '127.0.0.0/8' });
  project = await ComposeProject.up('documents', environment);
  await write('then');
  backupId = await holdfast.createBackup(
    environment,
    '--description',
    'before the update',
    '--retention',
    '30d',
  );
});

beforeEach(async () => {
  await write('now');
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function write(text: string): Promise<void> {
  await project.sh('web', `echo ${text} > /uploads/file`);
  await project.sh('db', `echo ${text} > /rows/table`);
}

/** What the two components have now. */
async function contents(): Promise<readonly string[]> {
  return [
    (await project.sh('web', 'cat /uploads/file')).trim(),
    (await project.sh('db', 'cat /rows/table')).trim(),
  ];
}

async function listed(): Promise<string[]> {
  const text = await holdfast.mustRun(['backup:list', environment, '--format', 'plain', '-c', 'id']);
  return text.split('\n').filter(Boolean);
}

async function download(name: string, ...args: readonly string[]): Promise<string> {
  const path = join(folder, name);
  rmSync(path, { force: true });
  await holdfast.mustRun(['backup:download', backupId, '-o', path, ...args]);
  return path;
}

describe('Backup & Restore', () => {
  it('the new backup appears with component names, created date, expiry date and size', async () => {
    const backup = await holdfast.getBackup(backupId);
    expect(backup.components).toEqual(['db', 'web']);
    expect(backup.expiresAtMs).toBeGreaterThan(backup.createdAtMs);
    expect(backup.bytes).toBeGreaterThan(0);
    expect(await listed()).toContain(backupId);
  });

  it('select the components, and download to save them; download all to save all of them', async () => {
    const one = await mustRun('tar', [
      '-tzf',
      await download('web.tar.gz', '--component', 'web', '--archive', 'tar.gz'),
    ]);
    expect(one).toContain('uploads');
    expect(one).not.toContain('rows');
    const all = await mustRun('tar', ['-tzf', await download('all.tar.gz', '--archive', 'tar.gz')]);
    expect(all).toContain('uploads');
    expect(all).toContain('db');
  });

  it('restore from the vault: select the component to restore to', async () => {
    await holdfast.mustRun(['backup:restore', backupId, '--component', 'web', '--yes']);
    expect(await contents()).toEqual(['then', 'now']);
  });

  it('restoring a backup will overwrite your current application state: nothing happens without a yes', async () => {
    const refused = await holdfast.run(['backup:restore', backupId]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('error[confirmation-needed]');
    expect(await contents()).toEqual(['now', 'now']);
    await holdfast.mustRun(['backup:restore', backupId, '--yes']);
    expect(await contents()).toEqual(['then', 'then']);
  });

  it('restore from an uploaded file', async () => {
    const path = await download('backup.tar.zst');
    await holdfast.mustRun(['backup:restore', '-e', environment, '--from-file', path, '--yes']);
    expect(await contents()).toEqual(['then', 'then']);
  });

  it('restore from a remote URL', async () => {
    const path = await download('backup.zip', '--archive', 'zip', '--component', 'web');
    const server = createServer((_, response) => createReadStream(path).pipe(response));
    const url = `http://127.0.0.1:${await listen(server)}/backup.zip`;
    try {
      await holdfast.mustRun(['backup:restore', '-e', environment, '--from-url', url, '--yes']);
    } finally {
      server.close();
    }
    expect(await contents()).toEqual(['then', 'now']);
  });

  it('use Select to choose specific backups, or Remove All to delete all that are listed', async () => {
    const [first, second, third] = [
      await holdfast.createBackup(environment, '--no-code'),
      await holdfast.createBackup(environment, '--no-code'),
      await holdfast.createBackup(environment, '--no-code'),
    ];
    await holdfast.mustRun(['backup:delete', first, second, '--yes']);
    expect(await listed()).toEqual(expect.arrayContaining([third, backupId]));
    expect(await listed()).not.toContain(first);
    await holdfast.mustRun(['backup:delete', '--all', '-e', environment, '--yes']);
    expect(await listed()).toEqual([]);
    const gone = await holdfast.run(['backup:restore', backupId, '--yes']);
    expect(gone.stderr).toContain('error[backup-unknown]');
    await write('then');
    backupId = await holdfast.createBackup(environment);
  });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('Container backups', () => {
  it('here you see all backups of the container, and the log with its output to stderr', async () => {
    const log = await holdfast.mustRun(['backup:log', backupId]);
    expect(log).toContain('rows are read');
  });

  it('select the instance to restore to: the restore command runs there', async () => {
    await holdfast.mustRun([
      'backup:restore',
      backupId,
      '--component',
      'db',
      '--instance',
      `${environment}-db-1`,
      '--yes',
    ]);
    expect(await contents()).toEqual(['now', 'then']);
  });
});

describe('Restore an environment from a backup', () => {
  it('the data and code from the backup are restored where the environment is gone', async () => {
    await project.compose('down', '--volumes', '--timeout', '0');
    await holdfast.mustRun(['backup:restore', backupId, '--yes']);
    expect(await contents()).toEqual(['then', 'then']);
  });

  it('what was written since is kept where only the containers are gone, and --undo brings it back', async () => {
    await project.compose('down', '--timeout', '0');
    await holdfast.mustRun(['backup:restore', backupId, '--yes']);
    expect(await contents()).toEqual(['then', 'then']);
    await holdfast.mustRun(['backup:restore', '-e', environment, '--undo', '--yes']);
    expect(await contents()).toEqual(['now', 'now']);
  });

  it('opt out of restoring the code: --no-code', async () => {
    await project.compose('down', '--volumes', '--timeout', '0');
    const refused = await holdfast.run([
      'backup:restore',
      backupId,
      '--no-code',
      '--component',
      'db',
      '--yes',
    ]);
    expect(refused.status).not.toBe(0);
    await project.compose('up', '--detach');
    // There is no table yet that could be kept.
    await holdfast.mustRun(['backup:restore', backupId, '--no-code', '--no-safety', '--yes']);
    expect(await contents()).toEqual(['then', 'then']);
  });

  it('does not modify the files of your project', async () => {
    const path = join(project.folder, 'compose.yaml');
    const before = readFileSync(path, 'utf8');
    await holdfast.mustRun(['backup:restore', backupId, '--yes']);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('restore to another environment, and to a new one that is branched from its parent', async () => {
    const copy = new ComposeProject('documents', 'documents-copy');
    try {
      await copy.tryCompose('down', '--volumes', '--timeout', '0');
      rmSync(join(tmpdir(), 'documents-copy'), { recursive: true, force: true });
      const target = ['--target', 'documents-copy', '--branch-from', environment];
      await holdfast.mustRun(['backup:restore', backupId, ...target]);
      expect((await copy.sh('web', 'cat /uploads/file')).trim()).toBe('then');
      await copy.sh('web', 'echo changed > /uploads/file');
      await holdfast.mustRun(['backup:restore', backupId, '--target', 'documents-copy', '--yes']);
      expect((await copy.sh('web', 'cat /uploads/file')).trim()).toBe('then');
      expect(await contents()).toEqual(['now', 'now']);
    } finally {
      await copy[Symbol.asyncDispose]();
      rmSync(join(tmpdir(), 'documents-copy'), { recursive: true, force: true });
    }
  });
});
