import { HoldfastError } from '@holdfast/base';
import { targetError } from '../filesystem/system-error.ts';
import { toByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import type { ProgressSink } from '../snapshot/progress.ts';
import { createContext, openCopier } from '../snapshot/restore-run.ts';
import { compileSelection } from '../snapshot/restore-selection.ts';
import { chosenOf } from './chosen.ts';
import { findChosen } from './find-chosen.ts';
import { Stage } from './stage.ts';
import type { Difference, DifferentEntry, StageRequest } from './stage-request.ts';
import { openStagingRoot } from './staging-root.ts';

export interface CompareRequest extends StageRequest {
  readonly progress?: ProgressSink | undefined;
  /** Told of each, in no certain order. */
  readonly onDifference?: ((different: DifferentEntry) => void) | undefined;
}

/**
 * What a restore of the node would change in its target, which may be written to meanwhile. Nothing is written.
 * @throws HoldfastError `path-unknown`, `target-unsafe`, `target-not-writable` where the target's parent is not there; whatever the
 * repository throws
 */
export async function compareTarget(request: CompareRequest): Promise<Difference> {
  const { blobs, signal, targetPath, only, kept, progress, onDifference } = request;
  const node = await findChosen(request);
  const path = toByteString(targetPath);
  try {
    using root = openStagingRoot(path, node.type === 'dir');
    await using copier = openCopier({ blobs });
    const context = createContext({ request: { blobs, signal }, copier }, root.directory, compileSelection());
    let [files, bytes] = [0, 0];
    const onEntry = ({ type, size }: Node): void => {
      if (type === 'dir') return;
      files += 1;
      bytes += size;
      progress?.report({ files, bytes });
    };
    try {
      return await new Stage(blobs, context, { root, chosen: chosenOf(only), kept }).pass(node, {
        isMaking: false,
        onEntry,
        onDifference,
      });
    } finally {
      context.tasks.fail(new HoldfastError('interrupted', 'The comparison is over.'));
      await context.tasks.settled();
    }
  } catch (error) {
    throw targetError(error, path);
  }
}
