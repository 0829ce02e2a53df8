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
 */
export const partSourceSchema = z
  .discriminatedUnion('kind', [volumeSchema, anonymousSchema, bindSchema, commandSourceSchema])
  .meta({ id: 'PartSource' });

export type MountPoint = z.infer<typeof mountPointSchema>;
export type MountSource = z.infer<typeof mountSourceSchema>;
export type PartSource = z.infer<typeof partSourceSchema>;

/** The components that a part belongs to. */
export function componentsOfPart({
  source,
  mountPoints,
}: {
  readonly source: PartSource;
  readonly mountPoints: readonly MountPoint[];
}): readonly string[] {
  return source.kind === 'command' ? [source.component] : mountPoints.map(({ component }) => component);
}
