import type { PackSubset } from '@holdfast/engine';
import { InvalidArgumentError } from 'commander';
import { sizeBytes } from '../command/arguments.ts';

const mostParts = 256;

/** `2/5`, `10%`, `2.5%`, `500M`, as restic's `check --read-data-subset` takes them. */
export function dataSubset(value: string): PackSubset {
  if (value.includes('/')) return parts(value);
  if (value.endsWith('%')) return share(value);
  const bytes = sizeBytes(value);
  if (bytes > 0) return { sizeBytes: bytes };
  throw new InvalidArgumentError('More than nothing is expected.');
}

function parts(value: string): PackSubset {
  const [, part = 0, of = 0] = (/^([0-9]{1,3})\/([0-9]{1,3})$/.exec(value) ?? []).map(Number);
  if (part >= 1 && part <= of && of <= mostParts) return { part, parts: of };
  throw new InvalidArgumentError(`n/t is expected, with n from 1 to t and t up to ${mostParts}, as in 2/5.`);
}

function share(value: string): PackSubset {
  const percent = /^[0-9]{1,3}(?:\.[0-9]+)?%$/.test(value) ? Number(value.slice(0, -1)) : 0;
  if (percent > 0 && percent <= 100) return { percent };
  throw new InvalidArgumentError('More than 0% and up to 100% is expected.');
}
