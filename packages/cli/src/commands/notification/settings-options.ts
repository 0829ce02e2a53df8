import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import {
  type NotificationEventName,
  type NotificationKind,
  type NotificationSettings,
  type NotificationSettingsChange,
  notificationEvents,
  notificationSettingsChangeSchema,
  notificationSettingsSchema,
} from '@holdfast/protocol';
import { InvalidArgumentError, Option } from 'commander';
import { collect, commaSeparated, positiveInteger } from '../../command/arguments.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { CliContext } from '../../context.ts';

export interface SettingsOptions {
  readonly url?: string;
  readonly urlFile?: string;
  readonly secretFile?: string;
  readonly topic?: string;
  readonly accessTokenFile?: string;
  readonly host?: string;
  readonly port?: number;
  readonly security?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly serverUrl?: string;
  readonly tokenFile?: string;
}

type SettingsOption = Exclude<keyof SettingsOptions, 'serverUrl' | 'tokenFile'>;

const optionsOfKind: Readonly<Record<NotificationKind, readonly SettingsOption[]>> = {
  webhook: ['url', 'urlFile', 'secretFile'],
  email: ['host', 'port', 'security', 'user', 'passwordFile', 'from', 'to'],
  ntfy: ['url', 'urlFile', 'topic', 'accessTokenFile'],
  healthchecks: ['url', 'urlFile'],
  'uptime-kuma': ['url', 'urlFile'],
};
const allOptions = [...new Set(Object.values(optionsOfKind).flat())];

/** Adds where a notification goes, and with what. */
export function settingsOptions(command: CliCommand): CliCommand {
  return command
    .option(
      '--url <url>',
      'of the webhook, the ntfy server, the ping or the push monitor (for the server itself: --server-url)',
    )
    .option('--url-file <path>', 'a file that holds it: in a list of processes, others may read --url')
    .option('--secret-file <path>', 'webhook: a file with what it is signed with (default: one is made)')
    .option('--topic <name>', 'ntfy: the topic')
    .option('--access-token-file <path>', 'ntfy: a file with an access token')
    .option('--host <host>', 'email: the mail server')
    .option(
      '--port <number>',
      'email: its port (default: 465 for tls, 587 for starttls, 25 for none)',
      positiveInteger,
    )
    .addOption(
      new Option('--security <how>', 'email: how the connection is secured (default: starttls)').choices([
        'tls',
        'starttls',
        'none',
      ]),
    )
    .option('--user <name>', 'email: the user that the mail server asks for')
    .option('--password-file <path>', 'email: a file with the password')
    .option('--from <address>', 'email: the sender')
    .option('--to <address>', 'email: a recipient; may be given several times', collect);
}

/** Events by their names, with commas between, given once or several times. */
export function events(
  value: string,
  previous: readonly NotificationEventName[] | undefined,
): readonly NotificationEventName[] {
  const names = commaSeparated(value).map((name) => {
    const known = notificationEvents.find((event) => event === name);
    if (known === undefined) throw new InvalidArgumentError(`There are: ${notificationEvents.join(', ')}.`);
    return known;
  });
  return [...(previous ?? []), ...names];
}

/** @throws HoldfastError `usage-invalid` for what is missing, or of another kind; `secret-unreadable` */
export async function newSettings(
  context: CliContext,
  kind: NotificationKind,
  options: SettingsOptions,
): Promise<NotificationSettings> {
  const given = await givenSettings(context, kind, options);
  const parsed = notificationSettingsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalid(kind, parsed.error.issues[0]);
}

/** Undefined where nothing of it is to be changed. @throws HoldfastError as `newSettings` */
export async function changedSettings(
  context: CliContext,
  kind: NotificationKind,
  options: SettingsOptions,
): Promise<NotificationSettingsChange | undefined> {
  const given = await givenSettings(context, kind, options);
  if (Object.keys(given).length === 1) return undefined;
  const parsed = notificationSettingsChangeSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalid(kind, parsed.error.issues[0]);
}

async function givenSettings(
  context: CliContext,
  kind: NotificationKind,
  options: SettingsOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const fitting = optionsOfKind[kind];
  const other = allOptions.find((name) => options[name] !== undefined && !fitting.includes(name));
  if (other !== undefined) {
    throw new HoldfastError('usage-invalid', `${flagOf(other)} is not for the kind ${kind}.`, {
      hint: `That has ${fitting.map(flagOf).join(', ')}.`,
    });
  }
  if (options.url !== undefined && options.urlFile !== undefined) {
    throw new HoldfastError('usage-invalid', 'Give either --url or --url-file.');
  }
  const read = async (path: string | undefined): Promise<string | null | undefined> =>
    path === undefined || path === '' ? orNull(path) : await readSecretFile(context, path);
  const url = options.url ?? (await read(options.urlFile));
  const settings = {
    kind,
    ...(kind === 'ntfy' ? { server: url } : { url }),
    secret: await read(options.secretFile),
    topic: options.topic,
    token: await read(options.accessTokenFile),
    host: options.host,
    port: options.port,
    security: options.security,
    user: orNull(options.user),
    password: await read(options.passwordFile),
    from: options.from,
    to: options.to,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** An empty value takes back a setting. */
function orNull(value: string | undefined): string | null | undefined {
  return value === '' ? null : value;
}

async function readSecretFile({ folder }: CliContext, path: string): Promise<string> {
  try {
    return (await readFile(resolve(folder, path), 'utf8')).trim();
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown reason';
    throw new HoldfastError('secret-unreadable', `${path} cannot be read (${code}).`, {
      hint: 'Name a file of this machine that holds nothing else.',
      cause: error,
    });
  }
}

/** Fields of the settings that have another name than their option. */
const optionOfField: Readonly<Record<string, SettingsOption>> = {
  server: 'url',
  secret: 'secretFile',
  token: 'accessTokenFile',
  password: 'passwordFile',
};

/** Says nothing of the value: it may be a secret. */
function invalid(
  kind: NotificationKind,
  issue: { readonly path: readonly PropertyKey[] } | undefined,
): HoldfastError {
  const field = String(issue?.path[0] ?? '');
  const what = flagOf(optionOfField[field] ?? field);
  return new HoldfastError(
    'usage-invalid',
    `${what}: missing, or not as it should be, for the kind ${kind}.`,
    {
      hint: 'URLs begin with http:// or https://; docs/notifications.md has an example of each kind.',
    },
  );
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
