import { HoldfastError, type HoldfastErrorOptions, isHoldfastError } from '@holdfast/base';

/** @param what a sentence: what is missing or cannot be read */
export function pruneRefused(
  what: string,
  context: NonNullable<HoldfastErrorOptions['context']>,
  cause?: unknown,
): HoldfastError {
  return new HoldfastError('prune-refused', `Nothing was deleted: ${what}`, {
    hint: 'Check the repository: it names what is damaged, and every snapshot and path that it takes with it.',
    context,
    cause,
  });
}

/** Turns damage that the work meets into a refusal; other failures, such as a storage that does not answer, stay. */
export async function refuseOnDamage<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isHoldfastError(error, 'repository-damaged', 'blob-missing', 'blob-damaged')) throw error;
    throw pruneRefused(error.message, { ...error.context, reason: error.code }, error);
  }
}
