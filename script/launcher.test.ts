import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const launcher = path.resolve(import.meta.dirname, '../bin/holdfast');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-launcher-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function launch(program: string, env: Readonly<Record<string, string>>) {
  return spawnSync(program, ['--version'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...env },
  });
}

describe('bin/holdfast', () => {
  it('runs the command from any folder, through symbolic links, and prints no warning', () => {
    symlinkSync(launcher, path.join(folder, 'first'));
    symlinkSync('first', path.join(folder, 'second'));
    const { status, stdout, stderr } = launch(path.join(folder, 'second'), {
      PATH: '/usr/bin:/bin',
      XDG_CACHE_HOME: folder,
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(status).toBe(0);
  });

  it('says what to do where there is no Node.js', () => {
    const copy = path.join(folder, 'bin/holdfast');
    mkdirSync(path.dirname(copy));
    copyFileSync(launcher, copy);
    const tools = path.join(folder, 'tools');
    mkdirSync(tools);
    for (const tool of ['sh', 'dirname', 'readlink']) symlinkSync(`/usr/bin/${tool}`, path.join(tools, tool));
    const { status, stdout, stderr } = launch(copy, { PATH: tools });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error\[system-unsupported\]: .*Node\.js 24 or later.*script\/setup demo/);
    expect(status).toBe(1);
  });
});
