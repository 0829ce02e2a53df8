import { HoldfastError } from '@holdfast/base';
import type { ResolvedPath, ResolvePaths } from '../mounts/resolve-path.ts';
import { type AskContainerOptions, askContainer } from './ask-container.ts';

/** Where the look has the machine's root: a path that no image has. */
const machineRoot = '/holdfast/machine';

/**
 * Looks at paths of the engine's machine for a process that does not see them: in a container which has the machine's
 * root, read-only, for as long as it takes to follow links. It opens nothing.
 */
export function resolveInContainer(options: AskContainerOptions): ResolvePaths {
  return async (paths, { signal }) => {
    if (paths.length === 0) return [];
    const answer = await askContainer(
      options,
      {
        program: 'packages/docker/src/host-files/look-main.ts',
        args: [machineRoot],
        label: 'look',
        mounts: [{ type: 'bind', source: '/', destination: machineRoot, readOnly: true }],
        capabilities: ['DAC_READ_SEARCH'],
        question: paths,
      },
      { signal },
    );
    if (Array.isArray(answer) && answer.length === paths.length) return answer as readonly ResolvedPath[];
    throw new HoldfastError('internal', 'The container that looks at paths answered something else.');
  };
}
