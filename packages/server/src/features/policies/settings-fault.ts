import { environmentTypes } from '@holdfast/protocol';
import { z } from 'zod';
import { nearName } from './near-name.ts';

/** One thing that is wrong with settings. */
export interface SettingsFault {
  readonly code: 'settings-invalid';
  /** Where in the JSON, as in `data_retention.production.default_config.schedule[0].interval`. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

export type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

const countHint = 'Write a whole number from 1 to 100000.';

/** What a setting takes, by its name. */
const hints: Readonly<Record<string, string>> = {
  interval:
    'Write a number from 1 to 9999 and a unit, h, d, w, M (months) or y: 12h, 1d, 4w, 6M or 1y, for example.',
  count: countHint,
  max_backups: countHint,
  manual_count: countHint,
  retention: 'Write a number of days, or a number and a unit, h, d, w, M (months) or y: 30d, for example.',
  hours: 'Write a list of hours from 0 to 23.',
  weekdays: 'Write a list of weekdays from 0, which is Sunday, to 6.',
  timezone: 'Write the name of a time zone, as in Europe/Berlin or UTC.',
  cron_string: 'Write five fields, as in 0 2 * * *, six with seconds first, or a name such as @daily.',
};

export function faultAt(path: Path, what: string, hint: string = hintAt(path)): SettingsFault {
  const place = placeOf(path);
  return { code: 'settings-invalid', path: place, message: `${place || 'What was sent'} ${what}`, hint };
}

/** @param value what was checked by the schema @param at where the value stands */
export function faultsOf(
  issue: Issue,
  { value, schema, at }: { readonly value: unknown; readonly schema: z.ZodType; readonly at: Path },
): readonly SettingsFault[] {
  const path = [...at, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => unknownKey([...path, key], known));
  }
  const given = valueAt(value, issue.path);
  if (given === undefined) return [faultAt(path, 'is missing.')];
  return [faultAt(path, `is ${shown(given)}: ${whatIsWrong(issue, given)}.`)];
}

function unknownKey(path: Path, known: readonly string[]): SettingsFault {
  const key = String(path.at(-1));
  const isType = known.every((name) => environmentTypes.some((type) => type === name));
  const near = nearName(key, known);
  const what = isType ? 'is no type of environment.' : 'is no setting.';
  return faultAt(
    path,
    what,
    near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${near}?`,
  );
}

function hintAt(path: Path): string {
  const name = path.findLast((step) => typeof step === 'string');
  return hints[String(name)] ?? 'See the description of the settings for what belongs there.';
}

function whatIsWrong(issue: Issue, given: unknown): string {
  if (typeof given === 'number') return whatIsWrongWithNumber(given, issue);
  if (typeof given === 'string' && (issue.code === 'invalid_format' || issue.code === 'invalid_union'))
    return whatIsWrongWithSpan(given);
  switch (issue.code) {
    case 'too_small':
      return 'it is empty';
    case 'too_big':
      return 'it is too long';
    case 'invalid_type':
      return `it has to be ${typeNames[issue.expected] ?? issue.expected}`;
    default:
      return 'it is of the wrong type';
  }
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function whatIsWrongWithNumber(given: number, issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.expected !== 'number' && issue.expected !== 'int')
    return `it has to be ${typeNames[issue.expected] ?? issue.expected}`;
  if (!Number.isFinite(given)) return 'it is no number';
  if (given < 0) return 'it is negative';
  if (!Number.isInteger(given)) return 'it is not whole';
  return given === 0 ? 'it is zero' : 'it is too large';
}

function whatIsWrongWithSpan(given: string): string {
  const parts = /^(?<sign>-?)(?<number>[0-9]+)(?<unit>[^0-9]*)$/.exec(given)?.groups;
  if (parts === undefined) return 'it is no number with a unit';
  const { sign, number = '', unit = '' } = parts;
  if (sign === '-') return 'it is negative';
  if (unit === '') return 'it has no unit';
  if (!/^[hdwMy]$/.test(unit)) return `${shown(unit)} is no unit`;
  if (/^0+$/.test(number)) return 'it is zero';
  return number.startsWith('0') ? 'it begins with a zero' : 'it is too large';
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function placeOf(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step !== 'string') return `[${String(step)}]`;
      if (!/^[\w-]{1,60}$/.test(step)) return `[${shown(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step)
        ? (inner as Readonly<Record<PropertyKey, unknown>>)[step]
        : undefined,
    value,
  );
}

/** The names that an object within a schema may have. */
function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  const inner = path.reduce<unknown>((outer, step) => {
    const whole = unwrapped(outer);
    if (whole instanceof z.ZodArray) return whole.element;
    return whole instanceof z.ZodObject ? whole.shape[String(step)] : undefined;
  }, schema);
  const object = unwrapped(inner);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? unwrapped(schema.unwrap())
    : schema;
}
