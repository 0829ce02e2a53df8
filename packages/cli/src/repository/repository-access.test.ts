import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testContext } from '../testing/cli-run.ts';
import { repositoryLocation } from './repository-location.ts';
import type { RepositoryOptions } from './repository-options.ts';
import { repositoryPassword } from './repository-password.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-access-'));
  await writeFile(join(folder, 'location'), '/srv/of-file\n');
  await writeFile(join(folder, 'key'), '\uFEFF of file \n');
  await writeFile(join(folder, 'empty'), '\n');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

type Env = Readonly<Record<string, string>>;

describe('where the repository is', () => {
  const location = (options: RepositoryOptions, env: Env = {}) =>
    repositoryLocation(testContext([], { env, folder }).context, options);

  it('is said by options before variables, directly or by a file', async () => {
    const env = { RESTIC_REPOSITORY: '/srv/of-variable' };
    expect(await location({ repository: '/a' }, env)).toBe('/a');
    expect(await location({ repo: '/b' }, env)).toBe('/b');
    expect(await location({ repositoryFile: 'location' }, env)).toBe('/srv/of-file');
    expect(await location({}, env)).toBe('/srv/of-variable');
    expect(await location({}, { RESTIC_REPOSITORY_FILE: join(folder, 'location') })).toBe('/srv/of-file');
  });

  it.each<[string, RepositoryOptions, Env]>([
    ['nothing', {}, {}],
    ['two options', { repository: '/a', repositoryFile: 'location' }, {}],
    ['two variables', {}, { RESTIC_REPOSITORY: '/a', RESTIC_REPOSITORY_FILE: 'location' }],
    ['a file that is not there', { repositoryFile: 'none' }, {}],
  ])('is not said by %s', async (_what, options, env) => {
    await expect(location(options, env)).rejects.toMatchObject({ code: 'usage-invalid' });
  });
});

describe('the password', () => {
  const password = (options: RepositoryOptions, env: Env = {}) =>
    repositoryPassword(testContext([], { env, folder }).context, options, { isNew: false });

  it('is that of a command or a file before that of the variable, as with restic', async () => {
    const env = { RESTIC_PASSWORD: 'of variable' };
    expect(await password({ passwordFile: 'key' }, env)).toBe('of file');
    expect(await password({ passwordCommand: "printf ' of %s\\n' command" }, env)).toBe('of command');
    expect(await password({}, { ...env, RESTIC_PASSWORD_FILE: join(folder, 'key') })).toBe('of file');
    expect(await password({}, { ...env, RESTIC_PASSWORD_COMMAND: 'echo of command' })).toBe('of command');
    expect(await password({}, env)).toBe('of variable');
  });

  it.each<[string, RepositoryOptions, string]>([
    ['nothing, without a terminal', {}, 'usage-invalid'],
    ['a file and a command', { passwordFile: 'key', passwordCommand: 'echo x' }, 'usage-invalid'],
    ['a file that is not there', { passwordFile: 'none' }, 'secret-unreadable'],
    ['an empty file', { passwordFile: 'empty' }, 'secret-unreadable'],
    ['a command that fails', { passwordCommand: 'false' }, 'secret-unreadable'],
    ['a command that is not there', { passwordCommand: '/nowhere/pass show' }, 'secret-unreadable'],
    ['a command that prints nothing', { passwordCommand: 'true' }, 'secret-unreadable'],
  ])('is not to be had from %s', async (_what, options, code) => {
    await expect(password(options)).rejects.toMatchObject({ code });
  });

  it('does not tell what a failed command was given or printed', async () => {
    const failing = password({ passwordCommand: `sh -c 'echo s3cret; echo s3cret >&2; exit 1' s3cret` });
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain('s3cret');
  });
});
