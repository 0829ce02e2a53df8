import { text } from 'node:stream/consumers';
import { HoldfastError, untilAborted } from '@holdfast/base';
import { holdfastLabels } from '../discovery/labels.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import { commandInImage } from '../image/holdfast-image.ts';
import type { ResolvedPath, ResolvePaths } from '../mounts/resolve-path.ts';
import { runAttached } from '../run-attached/run-attached.ts';

/** Where the look has the machine's root: a path that no image has. */
const machineRoot = '/holdfast/machine';
const timeoutMs = 60_000;

export interface ResolveInContainerOptions {
  readonly docker: Pick<DockerEngine, 'containers'>;
  /** An image of Holdfast, by name or id. */
  readonly image: string;
}

/**
 * Looks at paths of the engine's machine for a process that does not see them: in a container which has the machine's
 * root, read-only, for as long as it takes to follow links. It opens nothing.
 */
export function resolveInContainer({ docker, image }: ResolveInContainerOptions): ResolvePaths {
  return async (paths, { signal }) => {
    if (paths.length === 0) return [];
    const run = runAttached({
      connect: async () => docker,
      container: () => ({
        image,
        command: commandInImage('packages/docker/src/host-files/look-main.ts', machineRoot),
        labels: { [holdfastLabels.internal]: 'look' },
        mounts: [{ type: 'bind', source: '/', destination: machineRoot, readOnly: true }],
        sandbox: { capabilities: ['DAC_READ_SEARCH'], sharesPids: false },
      }),
    });
    const timer = setTimeout(() => run.kill(), timeoutMs);
    try {
      run.stdin.end(`${JSON.stringify(paths)}\n`);
      const [answer, complaint] = await untilAborted(
        Promise.all([text(run.stdout), text(run.stderr), run.ended]),
        { signal },
      );
      return parseAnswer(answer, complaint, paths.length);
    } finally {
      clearTimeout(timer);
      run.kill();
    }
  };
}

function parseAnswer(answer: string, complaint: string, count: number): readonly ResolvedPath[] {
  try {
    const parsed: unknown = JSON.parse(answer);
    // Our own program wrote it: of the same version, in the same words.
    if (Array.isArray(parsed) && parsed.length === count) return parsed as readonly ResolvedPath[];
  } catch {
    // Said below.
  }
  throw new HoldfastError(
    'docker-refused',
    "The container that looks at paths of the engine's machine gave no answer.",
    {
      hint: 'See whether the image is one of Holdfast, of the same version as the server.',
      context: { engineMessage: complaint.slice(-500) },
    },
  );
}
