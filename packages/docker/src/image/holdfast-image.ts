/** Where the image has Holdfast: see Dockerfile. */
const imageFolder = '/opt/holdfast';

/** A small heap: with the usual one, what a backup has under way makes the process take twice the memory, for no speed. */
export const smallHeap = ['--max-semi-space-size=4', '--heap-growing-percent=30'];

/** Runs one of Holdfast's programs in a container of its image. `program` is a path in the project, `packages/…`. */
export function commandInImage(program: string, ...args: readonly string[]): readonly string[] {
  const flags = [...smallHeap, '--disable-warning=ExperimentalWarning'];
  return ['node', ...flags, `${imageFolder}/${program}`, ...args];
}
