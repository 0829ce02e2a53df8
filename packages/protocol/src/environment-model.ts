import { z } from 'zod';

/** Any JSON. */
type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

interface JsonObject {
  readonly [name: string]: JsonValue;
}

const maxDepth = 16;
const maxValues = 20_000;
const maxTextLength = 2 ** 20;

const textSchema = z.string().max(4096);
const longTextSchema = z.string().max(maxTextLength);
/** What the engine takes for the name of a container or a volume. */
const nameSchema = z
  .string()
  .max(255)
  .regex(/^[a-zA-Z0-9][\w.-]*$/);
const networkNameSchema = z.string().min(1).max(255);
const textsByNameSchema = z
  .record(textSchema, longTextSchema)
  .refine((texts) => Object.keys(texts).length <= 1000, { error: 'too many entries' });

/** Of a depth and size that no honest container comes near; checked here and not by `z.json()`, which recurses without end. */
const jsonObjectSchema = z.custom<JsonObject>(
  (value) => isObject(value) && isWithinLimits(value),
  'not an object within the limits',
);

const containerSchema = z.strictObject({
  name: nameSchema,
  component: z.string().min(1).max(255),
  image: z.strictObject({
    reference: textSchema.min(1),
    id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    digests: z.array(textSchema).max(100).readonly(),
  }),
  isRunning: z.boolean(),
  config: jsonObjectSchema,
  hostConfig: jsonObjectSchema,
  endpoints: z
    .record(networkNameSchema, jsonObjectSchema)
    .refine((endpoints) => Object.keys(endpoints).length <= 100, { error: 'too many networks' }),
  volumes: z
    .array(
      z.strictObject({
        name: nameSchema,
        destination: textSchema.startsWith('/'),
        isAnonymous: z.boolean(),
      }),
    )
    .max(1000)
    .readonly(),
});

const networkSchema = z.strictObject({
  name: networkNameSchema,
  isExternal: z.boolean(),
  driver: textSchema.min(1),
  internal: z.boolean(),
  attachable: z.boolean(),
  enableIPv6: z.boolean(),
  ipam: z.strictObject({
    driver: textSchema,
    options: textsByNameSchema,
    subnets: z
      .array(
        z.strictObject({
          subnet: textSchema,
          ipRange: textSchema,
          gateway: textSchema,
          auxiliaryAddresses: textsByNameSchema,
        }),
      )
      .max(100)
      .readonly(),
  }),
  options: textsByNameSchema,
  labels: textsByNameSchema,
});

const volumeSchema = z.strictObject({
  name: nameSchema,
  isExternal: z.boolean(),
  isAnonymous: z.boolean(),
  driver: textSchema.min(1),
  options: textsByNameSchema,
  labels: textsByNameSchema,
});

/**
 * An environment as it was when it was backed up (`EnvironmentModel` of `@holdfast/docker`), read back from a backup, which
 * anybody may have made: every text, list and depth has a limit, and nothing else may stand in it.
 */
export const environmentModelSchema = z.strictObject({
  version: z.literal(1),
  engine: z.strictObject({ version: textSchema, architecture: textSchema, os: textSchema }),
  project: z.string().min(1).max(255).nullable(),
  folder: textSchema.startsWith('/').nullable(),
  containers: unique(z.array(containerSchema).max(1000)),
  networks: unique(z.array(networkSchema).max(1000)),
  volumes: unique(z.array(volumeSchema).max(10_000)),
  composeDifferences: z
    .record(z.string().max(255), z.array(z.string().max(4096)).max(10_000).readonly())
    .nullable()
    .default(null),
});

export type EnvironmentModel = z.infer<typeof environmentModelSchema>;

function unique<Item extends { readonly name: string }>(list: z.ZodArray<z.ZodType<Item>>) {
  return list
    .refine((items) => new Set(items.map(({ name }) => name)).size === items.length, {
      error: 'a name stands twice',
    })
    .readonly();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Level by level, so that no depth exhausts the stack. */
function isWithinLimits(value: unknown): boolean {
  let level = [value];
  let count = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    count += level.length;
    if (depth > maxDepth || count > maxValues || !level.every(isPlain)) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.length <= maxTextLength;
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return true;
    case 'object':
      return (
        value === null || Object.keys(value).every((name) => name.length <= 4096 && name !== '__proto__')
      );
    default:
      return false;
  }
}
