import { mustRun } from '../../e2e/support/process.ts';

export const docker = 'docker';
const timeoutMs = 300_000;

/** Gives its standard output. */
export async function mustRunDocker(args: readonly string[]): Promise<string> {
  return await mustRun(docker, args, { timeoutMs });
}
