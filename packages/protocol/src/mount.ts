import { z } from 'zod';

/** Where one component mounts a source. */
export const mountPointSchema = z
  .object({ component: z.string(), path: z.string(), readOnly: z.boolean() })
  .meta({ id: 'MountPoint' });

/**
 * What identifies a part's source over time and across hosts.
 * - `volume`: a named volume, by its Docker name, with what is needed to create it again
 * - `anonymous`: an unnamed volume; found again by the component and path that mount it (its first mount point)
 * - `bind`: a folder or file of the host
 */
export const partSourceSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('volume'),
      name: z.string(),
      driver: z.string(),
      labels: z.record(z.string(), z.string()),
      options: z.record(z.string(), z.string()),
    }),
    z.object({ kind: z.literal('anonymous'), name: z.string() }),
    z.object({ kind: z.literal('bind'), path: z.string() }),
  ])
  .meta({ id: 'PartSource' });

export type MountPoint = z.infer<typeof mountPointSchema>;
export type PartSource = z.infer<typeof partSourceSchema>;
