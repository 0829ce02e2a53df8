import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..', '..');

it('is the compiled form of its source', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
  try {
    const output = join(directory, 'boundary-scan.wasm');
    execFileSync('npm', ['run', '--silent', 'build:wasm', '--', '--outFile', output], { cwd: root });
    const committed = readFileSync(join(import.meta.dirname, 'boundary-scan.wasm'));
    expect(readFileSync(output).equals(committed)).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
