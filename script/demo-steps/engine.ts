import path from 'node:path';
import { runCommand } from './command.ts';
import type { DemoOptions } from './options.ts';

export interface Engine {
  /** Words for the user: which engine it is. */
  readonly description: string;
  /** What programs need in order to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the engine if this demo started it. */
  end(): Promise<void>;
}

/** The Docker Engine that answers, or a private one. */
export async function findOrStartEngine(options: DemoOptions, signal: AbortSignal): Promise<Engine> {
  const version = await engineVersion(options, signal);
  if (version !== undefined) {
    const where = options.env.DOCKER_HOST ?? 'its usual socket';
    return { description: `Docker Engine ${version} answers at ${where}`, env: {}, end: async () => {} };
  }
  const testbed = path.join(options.root, 'script/testbed');
  const wasRunning = await runCommand(testbed, ['status', 'docker'], {
    env: options.env,
    signal,
    timeoutMs: 30_000,
  }).then(
    () => true,
    () => false,
  );
  const lines = await runCommand(testbed, ['up', 'docker'], { env: options.env, signal, timeoutMs: 120_000 });
  const env = exportedVariables(lines);
  return {
    description: `no Docker Engine answered: ${wasRunning ? 'using' : 'started'} a private one at ${env.DOCKER_HOST}`,
    env,
    async end() {
      if (wasRunning) return;
      const never = new AbortController().signal;
      await runCommand(testbed, ['down', 'docker'], { env: options.env, signal: never, timeoutMs: 120_000 });
    },
  };
}

/** Reads lines of the form `export NAME=value`, with the shell's backslashes. */
export function exportedVariables(lines: string): Record<string, string> {
  const found = [...lines.matchAll(/^export ([A-Z0-9_]+)=(.*)$/gm)];
  return Object.fromEntries(
    found.map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, '$1')]),
  );
}

async function engineVersion(options: DemoOptions, signal: AbortSignal): Promise<string | undefined> {
  const args = ['version', '--format', '{{.Server.Version}}'];
  try {
    return (await runCommand('docker', args, { env: options.env, signal, timeoutMs: 10_000 })).trim();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
