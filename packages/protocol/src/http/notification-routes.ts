import { z } from 'zod';
import { environmentIdSchema, notificationIdSchema, timeMsSchema } from '../ids.ts';
import { route } from './route.ts';

/** What there is to tell. `test` comes by `notification.test` alone. */
export const notificationEvents = [
  'backup.started',
  'backup.succeeded',
  'backup.warned',
  'backup.failed',
  'run.missed',
  'backup.overdue',
  'vault.missing',
  'vault.nearly-full',
  'vault.damaged',
  'restore.done',
  'restore.failed',
] as const;

export const notificationEventSchema = z.enum(notificationEvents);

export const notificationKinds = ['webhook', 'email', 'ntfy', 'healthchecks', 'uptime-kuma'] as const;

const urlSchema = z.url({ protocol: /^https?$/ }).max(2000);
const mailAddressSchema = z
  .string()
  .regex(/^[^\s@<>(),;:"\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}$/, 'no mail address')
  .max(254);
const secretSchema = z
  .string()
  .regex(/^[\x20-\x7e]+$/, 'printable ASCII alone')
  .max(1000);

const webhookSchema = z.object({
  kind: z.literal('webhook'),
  url: urlSchema,
  /** Deliveries are signed with it. One is made when it is left out. */
  secret: secretSchema.min(16).optional(),
});

const emailSchema = z.object({
  kind: z.literal('email'),
  /** The mail server: a name or an address. */
  host: z.string().regex(/^[\w.:-]{1,253}$/),
  /** By default 465 for `tls`, 587 for `starttls`, 25 for `none`. */
  port: z.int().min(1).max(65_535).optional(),
  /** By default `starttls`. Nothing is sent where the server does not offer it. */
  security: z.enum(['tls', 'starttls', 'none']).optional(),
  user: secretSchema.nullable().optional(),
  password: secretSchema.nullable().optional(),
  from: mailAddressSchema,
  to: z.array(mailAddressSchema).min(1).max(50),
});

const ntfySchema = z.object({
  kind: z.literal('ntfy'),
  /** By default `https://ntfy.sh`. */
  server: urlSchema.optional(),
  topic: z.string().regex(/^[\w-]{1,64}$/),
  token: secretSchema.nullable().optional(),
});

const healthchecksSchema = z.object({ kind: z.literal('healthchecks'), url: urlSchema });
const uptimeKumaSchema = z.object({ kind: z.literal('uptime-kuma'), url: urlSchema });

/** Where a notification goes, and with what. */
export const notificationSettingsSchema = z
  .discriminatedUnion('kind', [webhookSchema, emailSchema, ntfySchema, healthchecksSchema, uptimeKumaSchema])
  .meta({ id: 'NotificationSettings' });

/** The same kind, with what is to be changed: a field that is left out stays as it is, null takes it back. */
export const notificationSettingsChangeSchema = z
  .discriminatedUnion('kind', [
    webhookSchema.partial().required({ kind: true }),
    emailSchema.partial().required({ kind: true }),
    ntfySchema.partial().required({ kind: true }),
    healthchecksSchema.partial().required({ kind: true }),
    uptimeKumaSchema.partial().required({ kind: true }),
  ])
  .meta({ id: 'NotificationSettingsChange' });

/** What of its settings may be shown. URLs and topics count as secrets: whoever has them can send, or read along. */
export const shownSettingsSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('webhook'), origin: z.string() }),
    z.object({
      kind: z.literal('email'),
      host: z.string(),
      port: z.int(),
      security: z.enum(['tls', 'starttls', 'none']),
      user: z.string().nullable(),
      hasPassword: z.boolean(),
      from: z.string(),
      to: z.array(z.string()),
    }),
    z.object({ kind: z.literal('ntfy'), server: z.string(), hasToken: z.boolean() }),
    z.object({ kind: z.literal('healthchecks'), origin: z.string() }),
    z.object({ kind: z.literal('uptime-kuma'), origin: z.string() }),
  ])
  .meta({ id: 'ShownNotificationSettings' });

export const notificationSchema = z
  .object({
    id: notificationIdSchema,
    name: z.string(),
    events: z.array(notificationEventSchema),
    /** Null: all, also those that come later. What is of no environment, such as a vault, is told in any case. */
    environments: z.array(z.object({ id: environmentIdSchema, name: z.string() })).nullable(),
    /** True where it may connect to private and loopback addresses. */
    allowPrivate: z.boolean(),
    settings: shownSettingsSchema,
    /** Messages that are still to be delivered. */
    queued: z.int(),
    /** Messages of the last 30 days that were given up. */
    failed: z.int(),
    lastDeliveredAtMs: timeMsSchema.nullable(),
    /** Of the newest attempt; null once one succeeds. */
    lastError: z.object({ atMs: timeMsSchema, message: z.string() }).nullable(),
    createdAtMs: timeMsSchema,
  })
  .meta({ id: 'Notification' });

const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const eventsSchema = z.array(notificationEventSchema).min(1);
/** Ids or names. */
const environmentsSchema = z.array(z.string().min(1)).min(1).max(1000);
const notificationParams = z.object({ notification: z.string().min(1) });

export const notificationRoutes = {
  'notification.list': route({
    method: 'GET',
    path: '/notifications',
    right: 'notification:read',
    summary: 'Whom events are told',
    status: 200,
    response: z.object({ notifications: z.array(notificationSchema) }),
  }),
  'notification.add': route({
    method: 'POST',
    path: '/notifications',
    right: 'notification:write',
    summary: 'Tell events to somebody else too',
    body: z.object({
      name: nameSchema,
      /** By default, failures and what else needs somebody; for pings, what tells whether backups are well. */
      events: eventsSchema.optional(),
      environments: environmentsSchema.nullable().optional(),
      allowPrivate: z.boolean().optional(),
      settings: notificationSettingsSchema,
    }),
    status: 200,
    response: z.object({
      notification: notificationSchema,
      /** A webhook's, where it was made here: it is never shown again. */
      secret: z.string().nullable(),
    }),
  }),
  'notification.get': route({
    method: 'GET',
    path: '/notifications/{notification}',
    right: 'notification:read',
    summary: 'One notification, and how its last delivery went',
    params: notificationParams,
    status: 200,
    response: notificationSchema,
  }),
  'notification.update': route({
    method: 'PATCH',
    path: '/notifications/{notification}',
    right: 'notification:write',
    summary: 'Change a notification; what is left out stays as it is',
    params: notificationParams,
    body: z.object({
      name: nameSchema.optional(),
      /** Null for the default ones. */
      events: eventsSchema.nullable().optional(),
      environments: environmentsSchema.nullable().optional(),
      allowPrivate: z.boolean().optional(),
      settings: notificationSettingsChangeSchema.optional(),
    }),
    status: 200,
    response: notificationSchema,
  }),
  'notification.remove': route({
    method: 'DELETE',
    path: '/notifications/{notification}',
    right: 'notification:write',
    summary: 'Tell somebody no more; what was still to be told is dropped',
    params: notificationParams,
    status: 200,
    response: z.object({}),
  }),
  'notification.test': route({
    method: 'POST',
    path: '/notifications/{notification}/test',
    right: 'notification:write',
    summary: 'Deliver a test message now, once',
    params: notificationParams,
    status: 200,
    response: z.object({
      /** What the other side answered. */
      answer: z.string(),
    }),
  }),
};

export type NotificationEventName = z.infer<typeof notificationEventSchema>;
export type NotificationSettings = z.infer<typeof notificationSettingsSchema>;
export type NotificationSettingsChange = z.infer<typeof notificationSettingsChangeSchema>;
export type ShownNotificationSettings = z.infer<typeof shownSettingsSchema>;
export type Notification = z.infer<typeof notificationSchema>;
export type NotificationKind = (typeof notificationKinds)[number];
