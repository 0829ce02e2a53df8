import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const testbed = fileURLToPath(new URL('../script/testbed', import.meta.url));
const parts = ['docker', 'node2', 'images', 'databases', 'compose', 'restic', 'redis', 'postgres', 'ceph'];

/**
 * Gives integration tests their real parts where `vitest` was started by hand; `script/test` has started them already.
 * Parts that were not running are ended after the last test.
 */
export default function setUpTestbed(): (() => void) | undefined {
  if (process.env.HOLDFAST_TESTBED === 'running') return undefined;
  const stopped = parts.filter((part) => !isRunning(part));
  const lines = execFileSync(testbed, ['up', ...parts], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const [, name = '', value = ''] of lines.matchAll(/^export ([A-Z0-9_]+)=(.*)$/gm)) {
    process.env[name] = value.replaceAll(/\\(.)/g, '$1');
  }
  return () => {
    if (stopped.length === 0) return;
    execFileSync(testbed, ['down', ...stopped], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
}

function isRunning(part: string): boolean {
  try {
    execFileSync(testbed, ['status', part], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
