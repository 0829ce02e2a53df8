import { z } from 'zod';

/** Where one component mounts a source. */
export const mountPointSchema = z
  .object({ component: z.string(), path: z.string(), readOnly: z.boolean() })
  .meta({ id: 'MountPoint' });

const volumeSchema = z.object({
  kind: z.literal('volume'),
  name: z.string(),
  driver: z.string(),
  labels: z.record(z.string(), z.string()),
  options: z.record(z.string(), z.string()),
});
const anonymousSchema = z.object({ kind: z.literal('anonymous'), name: z.string() });
const bindSchema = z.object({ kind: z.literal('bind'), path: z.string() });
export const commandSourceSchema = z.object({ kind: z.literal('command'), component: z.string() });
/** A Git commit, by its whole SHA-1 or SHA-256. */
export const commitIdSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const codeSchema = z.object({
  kind: z.literal('code'),
  /** What is checked out in the project's folder, as its `.git` says; null where nothing says it. */
  commitId: commitIdSchema.nullable(),
  /** Whether `project` is all of the folder, but for what is mounted from it: else it has at most its Compose files. */
  isWhole: z.boolean().default(false),
});
export const imageSourceSchema = z.object({
  kind: z.literal('image'),
  /** `sha256:…` */
  imageId: z.string(),
  /** As the containers name it: `shop/web:latest`. */
  reference: z.string(),
  /** Those whose containers are of it. */
  components: z.array(z.string()),
});

/**
 * What identifies a mount's source over time and across hosts.
 * - `volume`: a named volume, by its Docker name, with what is needed to create it again
 * - `anonymous`: an unnamed volume; found again by the component and path that mount it (its first mount point)
 * - `bind`: a folder or file of the host
 */
export const mountSourceSchema = z
  .discriminatedUnion('kind', [volumeSchema, anonymousSchema, bindSchema])
  .meta({ id: 'MountSource' });

/**
 * What a part is of: a mount's source, or
 * - `command`: what a component's backup command printed; its restore command takes it in again
 * - `code`: the environment's code and configuration: a folder with `model.json`, which says what its containers are, and
 *   `project`, the project's folder. At most one in a backup
 * - `image`: an image that no registry has, as `docker save` writes it: `docker load` takes it in again
 */
export const partSourceSchema = z
  .discriminatedUnion('kind', [
    volumeSchema,
    anonymousSchema,
    bindSchema,
    commandSourceSchema,
    codeSchema,
    imageSourceSchema,
  ])
  .meta({ id: 'PartSource' });

export type MountPoint = z.infer<typeof mountPointSchema>;
export type MountSource = z.infer<typeof mountSourceSchema>;
export type PartSource = z.infer<typeof partSourceSchema>;

/** Whether a part is one file, not a folder with others in it: a bound file is told from a folder by its contents alone. */
export function isOneFile({ kind }: PartSource): boolean {
  return kind === 'command' || kind === 'image';
}

/** Whether a part is of a mount: what is in the others goes back in other ways than into a mount. */
export function isOfMount({ kind }: PartSource): boolean {
  return kind === 'volume' || kind === 'anonymous' || kind === 'bind';
}

/** The components that a part belongs to; none for code, which is of the whole environment. */
export function componentsOfPart({
  source,
  mountPoints,
}: {
  readonly source: PartSource;
  readonly mountPoints: readonly MountPoint[];
}): readonly string[] {
  switch (source.kind) {
    case 'command':
      return [source.component];
    case 'image':
      return source.components;
    default:
      return mountPoints.map(({ component }) => component);
  }
}
