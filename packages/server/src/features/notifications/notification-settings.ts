import { HoldfastError } from '@holdfast/base';
import {
  type NotificationSettings as GivenSettings,
  type NotificationEventName,
  type NotificationKind,
  type NotificationSettingsChange,
  notificationEvents,
  type ShownNotificationSettings,
} from '@holdfast/protocol';
import { z } from 'zod';

/** All that a channel needs, secrets included: sealed in the catalog, and nowhere else. */
export const settingsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('webhook'), url: z.string(), secret: z.string() }),
  z.object({
    kind: z.literal('email'),
    host: z.string(),
    port: z.int(),
    security: z.enum(['tls', 'starttls', 'none']),
    user: z.string().nullable(),
    password: z.string().nullable(),
    from: z.string(),
    to: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('ntfy'),
    server: z.string(),
    topic: z.string(),
    token: z.string().nullable(),
  }),
  z.object({ kind: z.literal('healthchecks'), url: z.string() }),
  z.object({ kind: z.literal('uptime-kuma'), url: z.string() }),
]);

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsOf<Kind extends NotificationKind> = Extract<Settings, { readonly kind: Kind }>;

/** What is shorter stands in any text. */
const shortestSecret = 3;

const portOfSecurity = { tls: 465, starttls: 587, none: 25 };

/** @throws HoldfastError `usage-invalid` */
export function completeSettings(given: GivenSettings, newSecret: () => string): Settings {
  if ('url' in given) requireReadableLogin(given.url);
  switch (given.kind) {
    case 'webhook':
      return { ...given, secret: given.secret ?? newSecret() };
    case 'email': {
      const { security = 'starttls', user = null, password = null, ...rest } = given;
      if ((user === null) !== (password === null)) {
        throw new HoldfastError('usage-invalid', 'A user needs a password, and a password a user.');
      }
      return { ...rest, security, port: given.port ?? portOfSecurity[security], user, password };
    }
    case 'ntfy': {
      const { server = 'https://ntfy.sh', token = null, ...rest } = given;
      if (!isBare(server)) {
        throw new HoldfastError('usage-invalid', 'The URL of an ntfy server has neither user nor path.', {
          hint: 'Give it as in https://ntfy.sh, and the topic by itself.',
        });
      }
      return { ...rest, server: new URL(server).origin, token };
    }
    case 'healthchecks':
    case 'uptime-kuma':
      return given;
  }
}

/**
 * What is not in the change stays, but a password or a token does not go to another host than it was given for.
 * @throws HoldfastError `usage-invalid`
 */
export function changeSettings(current: Settings, change: NotificationSettingsChange): Settings {
  if (change.kind !== current.kind) {
    throw new HoldfastError('usage-invalid', `The notification is of the kind ${current.kind}.`, {
      hint: 'Its kind stays: add another one.',
    });
  }
  // Both are of one kind, which the types cannot tell.
  const merged = { ...current, ...dropUndefined(change) } as GivenSettings;
  if (merged.kind === 'email' && current.kind === 'email' && change.kind === 'email') {
    const { host, port, security } = current;
    const isElsewhere =
      merged.host !== host || (merged.security ?? 'starttls') !== security || merged.port !== port;
    if (isElsewhere && current.password !== null && change.password === undefined) {
      throw secretNeeded('password');
    }
    // The port that belongs to how it is secured, unless one was named.
    if (merged.security !== security && change.port === undefined) delete merged.port;
  }
  if (current.kind === 'ntfy' && change.kind === 'ntfy') {
    const isElsewhere = change.server !== undefined && new URL(change.server).origin !== current.server;
    if (isElsewhere && current.token !== null && change.token === undefined) throw secretNeeded('token');
  }
  return completeSettings(merged, () => '');
}

export function shownSettings(settings: Settings): ShownNotificationSettings {
  switch (settings.kind) {
    case 'email': {
      const { password, ...rest } = settings;
      return { ...rest, hasPassword: password !== null };
    }
    case 'ntfy':
      return { kind: settings.kind, server: settings.server, hasToken: settings.token !== null };
    case 'webhook':
    case 'healthchecks':
    case 'uptime-kuma':
      return { kind: settings.kind, origin: new URL(settings.url).origin };
  }
}

/** Texts that must not come back out of an answer or an error, longest first: one may be a part of another. */
export function secretsIn(settings: Settings): readonly string[] {
  return allSecretsIn(settings)
    .filter((text) => text.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
}

function allSecretsIn(settings: Settings): readonly string[] {
  switch (settings.kind) {
    case 'webhook':
      return [settings.secret, ...secretsInUrl(settings.url)];
    case 'email':
      return [settings.password ?? ''];
    case 'ntfy':
      return [settings.topic, settings.token ?? ''];
    case 'healthchecks':
    case 'uptime-kuma':
      return secretsInUrl(settings.url);
  }
}

/** A folder of a URL is a word rather than a secret if it is shorter. */
const shortestSecretFolder = 8;

function secretsInUrl(text: string): readonly string[] {
  const { href, pathname, search, searchParams, username, password } = new URL(text);
  const folders = pathname.split('/').filter((folder) => folder.length >= shortestSecretFolder);
  const plain = [username, password].map(decodeURIComponent);
  return [text, href, pathname, search, username, password, ...plain, ...folders, ...searchParams.values()];
}

/** Where a message says how things are: one that came late says nothing any more, once there is a newer one. */
export function isPing(kind: NotificationKind): boolean {
  return kind === 'healthchecks' || kind === 'uptime-kuma';
}

/** What a ping can say: whether backups are well. */
const pingEvents: readonly NotificationEventName[] = [
  'backup.succeeded',
  'backup.failed',
  'run.missed',
  'backup.overdue',
];
const morePingEvents: readonly NotificationEventName[] = ['vault.missing', 'vault.damaged'];
const quietEvents: ReadonlySet<NotificationEventName> = new Set([
  'backup.started',
  'backup.succeeded',
  'backup.warned',
]);

export function defaultEvents(kind: NotificationKind): readonly NotificationEventName[] {
  if (kind === 'healthchecks') return ['backup.started', ...pingEvents];
  if (kind === 'uptime-kuma') return pingEvents;
  return notificationEvents.filter((event) => !quietEvents.has(event));
}

/** @throws HoldfastError `usage-invalid` for one that says nothing to this kind */
export function requireEvents(kind: NotificationKind, events: readonly NotificationEventName[]): void {
  if (!isPing(kind)) return;
  const fitting = new Set([...defaultEvents(kind), ...morePingEvents]);
  const other = events.find((event) => !fitting.has(event));
  if (other === undefined) return;
  throw new HoldfastError('usage-invalid', `A ping cannot say ${other}.`, {
    hint: `It tells whether backups are well: ${[...fitting].join(', ')}.`,
    context: { event: other },
  });
}

/** Node decodes it when it connects, and fails in its own way. */
function requireReadableLogin(text: string): void {
  const { username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
  } catch {
    throw new HoldfastError('usage-invalid', 'The user or the password in the URL is not encoded in UTF-8.', {
      hint: 'Write a % in it as %25.',
    });
  }
}

function isBare(url: string): boolean {
  const { pathname, search, hash, username, password } = new URL(url);
  return `${pathname}${search}${hash}${username}${password}` === '/';
}

function dropUndefined(change: object): object {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function secretNeeded(what: string): HoldfastError {
  return new HoldfastError('usage-invalid', `The ${what} was given for another server.`, {
    hint: `Give the ${what} anew, with the address.`,
  });
}
