import { mustRun } from '../../e2e/support/process.ts';

export const docker = 'docker';
const timeoutMs = 300_000;

/** On the engine of DOCKER_HOST, or another; gives its standard output. */
export async function mustRunDocker(args: readonly string[], host?: string): Promise<string> {
  const env = host === undefined ? {} : { DOCKER_HOST: host };
  return await mustRun(docker, args, { timeoutMs, env });
}
