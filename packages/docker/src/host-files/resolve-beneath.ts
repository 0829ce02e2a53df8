import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '@holdfast/base';
import { type ResolvedPath, typeOf } from '../mounts/resolve-path.ts';

/** As many as the kernel follows. */
const mostLinks = 40;

/** A name that is still to be gone into, and whether a link led there. */
interface Step {
  readonly name: string;
  readonly isOfLink: boolean;
}

/**
 * `resolvePath` for a machine whose root is at `root`: links are followed as they are meant there, absolute ones and
 * those that lead upwards too, and never out of it.
 */
export async function resolveBeneath(root: string, path: string): Promise<ResolvedPath> {
  let steps = stepsOf(path, false);
  let current = '/';
  for (let links = 0; ; ) {
    const [step, ...rest] = steps;
    if (step === undefined) return { resolved: true, path: current, type: await typeOf(join(root, current)) };
    steps = rest;
    if (step.name === '..') {
      current = dirname(current);
      continue;
    }
    const next = join(current, step.name);
    const target = await linkTarget(join(root, next));
    switch (target.kind) {
      case 'missing': {
        if (step.isOfLink) return { resolved: false, reason: 'a broken link' };
        const missing = [step, ...rest].map(({ name }) => name);
        return { resolved: true, path: join(current, ...missing), type: 'nothing' };
      }
      case 'failed':
        return { resolved: false, reason: target.reason };
      case 'none':
        current = next;
        break;
      case 'link':
        links += 1;
        if (links > mostLinks) return { resolved: false, reason: 'ELOOP' };
        if (target.to.startsWith('/')) current = '/';
        steps = [...stepsOf(target.to, true), ...rest];
    }
  }
}

function stepsOf(path: string, isOfLink: boolean): Step[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .map((name) => ({ name, isOfLink }));
}

type LinkTarget =
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

async function linkTarget(path: string): Promise<LinkTarget> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { kind: 'none' };
    return { kind: 'link', to: await readlink(path) };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'failed', reason: code ?? 'unknown' };
  }
}
