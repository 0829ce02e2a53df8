import type { ErrorReport, SafeValue } from '@holdfast/base';
import { backupIdSchema, environmentIdSchema, jobIdSchema, notificationEvents } from '@holdfast/protocol';
import { z } from 'zod';
import { type NotificationEvent, type Severity, severities } from './notification-event.ts';

/** What is told of an event, in words. Queued as it is: a repeat says the same. */
export const messageSchema = z.object({
  event: z.enum([...notificationEvents, 'test']),
  timeMs: z.int(),
  environment: z.object({ id: environmentIdSchema, name: z.string() }).nullable(),
  backup: z.object({ id: backupIdSchema }).nullable(),
  job: z.object({ id: jobIdSchema }).nullable(),
  /** One line. */
  subject: z.string(),
  message: z.string(),
  /** What to do about it. */
  hint: z.string().nullable(),
  details: z.record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
  ),
});

export type Message = z.infer<typeof messageSchema>;

interface Words {
  readonly subject: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details?: Readonly<Record<string, SafeValue>>;
}

const mostCharacters = 2000;
const mostSubjectCharacters = 150;
const mostItems = 20;

export function messageOf(event: NotificationEvent, timeMs: number): Message {
  const { subject, message, hint, details = {} } = wordsOf(event);
  const listed = Object.entries(details).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.slice(0, mostItems).map((item: string) => cut(item, mostCharacters)) : value,
  ]);
  return {
    event: event.event,
    timeMs,
    environment: 'environment' in event ? { id: event.environment.id, name: event.environment.name } : null,
    backup: 'backup' in event ? { id: event.backup.id } : null,
    job: 'job' in event ? { id: event.job.id } : null,
    subject: cut(oneLine(subject), mostSubjectCharacters),
    message: cut(message, mostCharacters),
    hint: hint === null ? null : cut(hint, mostCharacters),
    details: Object.fromEntries(listed),
  };
}

/** The body of a message for people: what happened, what to do, and of what. */
export function bodyOf({ message, hint, environment, backup, job, details, timeMs }: Message): string {
  const facts = [
    ['Time', new Date(timeMs).toISOString()],
    ['Environment', environment === null ? null : `${environment.name} (${environment.id})`],
    ['Backup', backup?.id ?? null],
    ['Job', job?.id ?? null],
  ].flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  const lists = Object.values(details).filter((value) => Array.isArray(value));
  const items = lists.flat().map((item) => `- ${oneLine(item)}`);
  return [message, ...items, ...(hint === null ? [] : ['', hint]), '', ...facts, ''].join('\n');
}

export function severityOf({ event }: Message): Severity {
  return severities[event];
}

function wordsOf(event: NotificationEvent): Words {
  switch (event.event) {
    case 'backup.started':
      return {
        subject: `Backup of ${event.environment.name} has begun`,
        message: 'A backup is taken.',
        hint: null,
      };
    case 'backup.succeeded':
      return {
        subject: `Backup of ${event.environment.name} is ready`,
        message: 'A backup is ready.',
        hint: null,
      };
    case 'backup.warned':
      return {
        subject: `Backup of ${event.environment.name} has warnings`,
        message: `A backup is ready, with ${counted(event.warnings, 'warning')}.`,
        hint: `holdfast backup:log ${event.backup.id} shows all that was logged.`,
        details: { warnings: event.warnings },
      };
    case 'backup.failed':
      return failure(`Backup of ${event.environment.name} failed`, event.error);
    case 'run.missed':
      return {
        subject: `A backup of ${event.environment.name} was missed`,
        message: `The backup that was due at ${timeText(event.dueAtMs)} was not taken: ${event.reason}`,
        hint: `holdfast backup:create ${event.environment.name} takes one now.`,
        details: { dueAt: timeText(event.dueAtMs) },
      };
    case 'backup.overdue':
      return overdue(event);
    case 'vault.missing':
    case 'vault.nearly-full':
    case 'vault.damaged':
      return vaultWords(event);
    case 'restore.done':
      return {
        subject: `Restore of ${event.environment.name} is done`,
        message:
          event.warnings.length === 0
            ? 'A restore is done.'
            : `A restore is done, with ${counted(event.warnings, 'warning')}.`,
        hint: null,
        details: { warnings: event.warnings },
      };
    case 'restore.failed':
      return failure(`Restore of ${event.environment.name} failed`, event.error);
    case 'test':
      return {
        subject: `Test of the notification ${event.notification.name}`,
        message: 'This is a test. Messages of Holdfast arrive here.',
        hint: null,
      };
  }
}

function vaultWords(event: Extract<NotificationEvent, { readonly vault: unknown }>): Words {
  const about = { vault: event.vault.name, vaultId: event.vault.id, since: timeText(event.sinceMs) };
  switch (event.event) {
    case 'vault.missing':
      return {
        subject: `Vault ${event.vault.name} is missing`,
        message: event.reason,
        hint: 'Put it back where it was, or mount it again: a new one is never made in its place.',
        details: about,
      };
    case 'vault.nearly-full':
      return {
        subject: `Vault ${event.vault.name} is nearly full`,
        message: `${sizeText(event.freeBytes)} of ${sizeText(event.totalBytes)} are free.`,
        hint: 'Make room, or keep fewer backups: one that does not fit fails.',
        details: { ...about, freeBytes: event.freeBytes, totalBytes: event.totalBytes },
      };
    case 'vault.damaged':
      return {
        subject: `Vault ${event.vault.name} is damaged`,
        message: `What is in the vault is not what was written there: ${counted(event.findings, 'finding')}.`,
        hint: 'Check its storage; holdfast backup:list --all shows which backups are damaged.',
        details: { ...about, findings: event.findings },
      };
  }
}

function failure(subject: string, { code, message, hint }: ErrorReport): Words {
  return { subject, message, hint: hint ?? null, details: { code } };
}

function overdue({
  environment,
  hours,
  lastGoodAtMs,
}: Extract<NotificationEvent, { readonly event: 'backup.overdue' }>): Words {
  const last = lastGoodAtMs === null ? 'There is none.' : `The last one is of ${timeText(lastGoodAtMs)}.`;
  return {
    subject: `No good backup of ${environment.name} for ${hours} hours`,
    message: `There was no good backup for ${hours} hours. ${last}`,
    hint: `holdfast backup:list ${environment.name} shows what became of them.`,
    details: { hours, lastGoodAt: lastGoodAtMs === null ? null : timeText(lastGoodAtMs) },
  };
}

function counted(items: readonly string[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? '' : 's'}`;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function sizeText(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
