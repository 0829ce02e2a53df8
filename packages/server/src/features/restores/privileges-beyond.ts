import { HoldfastError } from '@holdfast/base';
import { addedPrivileges, type EnvironmentModel, privilegesOf } from '@holdfast/docker';

export interface PrivilegesOptions {
  /** Who can hand in an archive is not thereby trusted with the machine. */
  readonly isImported: boolean;
  /** What is there to compare with; undefined where no container is. */
  readonly now: EnvironmentModel | undefined;
}

/** What a model asks for, as sentences, beyond what its containers have now or, of what was imported, beyond any ordinary container. */
export function privilegesBeyond(
  model: EnvironmentModel,
  { isImported, now }: PrivilegesOptions,
): readonly string[] {
  if (!isImported) return now === undefined ? [] : addedPrivileges(model, now);
  return model.containers.flatMap((container) =>
    privilegesOf(container, model).map((privilege) => `${container.component} ${privilege}.`),
  );
}

/** @throws HoldfastError `code-refused` */
export function requireAllowed(
  asked: readonly string[],
  { allowPrivileges }: { readonly allowPrivileges: boolean },
): void {
  if (asked.length === 0 || allowPrivileges) return;
  throw new HoldfastError(
    'code-refused',
    `The backup's containers could do more than is allowed: ${asked.join(' ')}`,
    {
      hint: 'If you want it so: --allow-privileges. To restore the data alone: --no-code.',
      context: { privileges: asked },
    },
  );
}
