/** What stands between a container's own name and the mark of the work that will replace it. */
const infix = '.holdfast-replaced-';

export interface SetAsideName {
  /** As the container was called. */
  readonly name: string;
  /** Which work set it aside. */
  readonly mark: string;
}

/** The name of a container that a new one is about to replace. */
export function toSetAsideName({ name, mark }: SetAsideName): string {
  return `${name}${infix}${mark}`;
}

/** `undefined` for a container that is not set aside. */
export function parseSetAsideName(text: string): SetAsideName | undefined {
  const at = text.lastIndexOf(infix);
  return at <= 0 ? undefined : { name: text.slice(0, at), mark: text.slice(at + infix.length) };
}
