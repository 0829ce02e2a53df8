import { retentionSchema } from '@holdfast/protocol';
import { InvalidArgumentError } from 'commander';

export function retention(value: string): string {
  const parsed = retentionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('A number with one of h, d, w, M, y is expected, as in 30d or 6M.');
}
