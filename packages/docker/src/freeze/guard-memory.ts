import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type GuardSpec, parseGuardSpec } from './guard-protocol.ts';

/** What a guard in a container knows after its engine has started it again: the container keeps the file. */
const path = '/guard.json';

/** The spec that it was armed with, of what it watches; undefined for a guard that never was. */
export function recallSpec(): GuardSpec | undefined {
  try {
    return parseGuardSpec(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whole or not at all. */
export function rememberSpec(spec: GuardSpec): void {
  writeFileSync(`${path}.new`, JSON.stringify(spec));
  renameSync(`${path}.new`, path);
}
