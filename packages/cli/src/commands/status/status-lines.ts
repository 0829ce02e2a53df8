import type { EnvironmentStatus, Problem, Status } from '@holdfast/protocol';
import { printable } from '../../output/printable.ts';
import {
  formatBytes,
  formatCount,
  formatMinute,
  formatNumberOf,
  formatSpan,
} from '../../output/quantities.ts';
import { titledTableLines, wrap } from '../../output/table.ts';

/** One screen: first how many are protected, then all that there is, and last what needs somebody. */
export function statusLines(status: Status, width: number): string[] {
  const tables = [
    environmentLines(status, width),
    vaultLines(status, width),
    nodeLines(status, width),
    notificationLines(status, width),
    jobLines(status, width),
    problemLines(status.problems, width),
  ];
  return [headline(status), ...tables.flatMap((lines) => (lines.length === 0 ? [] : ['', ...lines]))];
}

/** Of those that could be backed up: an inactive one has nothing to protect, and nobody wants a deleted one to be. */
function headline({ environments }: Status): string {
  const active = environments.filter(({ state, deletion }) => state === 'active' && deletion === null);
  if (active.length === 0) return 'There is no active environment (Compose project).';
  const count = active.filter(({ isProtected }) => isProtected).length;
  const plural = active.length === 1 ? 'environment is' : 'environments are';
  return `${formatCount(count)} of ${formatCount(active.length)} ${plural} protected.`;
}

function environmentLines({ environments, atMs }: Status, width: number): string[] {
  const shown = environments.filter(({ state, backups }) => state === 'active' || backups > 0);
  if (shown.length === 0) return [];
  const hasNodes = new Set(shown.map(({ nodeName }) => nodeName)).size > 1;
  return titledTableLines(
    ['environment', ...(hasNodes ? ['node'] : []), 'protected', 'last good backup', 'next run', 'backups'],
    shown.map((each) => [
      each.name,
      ...(hasNodes ? [each.nodeName] : []),
      protectionText(each, atMs),
      each.lastGoodBackup === null ? 'never' : ago(each.lastGoodBackup.createdAtMs, atMs),
      nextRunText(each, atMs),
      formatCount(each.backups),
    ]),
    width,
  );
}

function protectionText(environment: EnvironmentStatus, nowMs: number): string {
  const { isProtected, isReachable, state, deletion } = environment;
  if (deletion !== null)
    return deletion.untilMs > nowMs ? `deleted until ${formatMinute(deletion.untilMs)}` : 'deleted';
  if (state === 'inactive') return 'inactive';
  if (!isReachable) return 'unreachable';
  return isProtected ? 'yes' : 'no';
}

function nextRunText(environment: EnvironmentStatus, nowMs: number): string {
  const { state, hasSchedule, nextRunAtMs, deletion } = environment;
  if (state === 'inactive' || deletion !== null) return '-';
  if (!hasSchedule) return 'no schedule';
  if (nextRunAtMs === null) return '-';
  return nextRunAtMs > nowMs ? `in ${formatSpan(nextRunAtMs - nowMs)}` : 'now';
}

function vaultLines({ vaults, atMs }: Status, width: number): string[] {
  if (vaults === null || vaults.length === 0) return [];
  return titledTableLines(
    ['vault', 'status', 'free', 'last tried', 'location'],
    vaults.map(({ name, status, location, checkedAtMs, freeBytes }) => {
      const isLookedAtNow = location.startsWith('/');
      const tried = checkedAtMs === null ? '-' : ago(checkedAtMs, atMs);
      const free = freeBytes === null ? '-' : formatBytes(freeBytes);
      return [name, status, free, isLookedAtNow ? 'now' : tried, location];
    }),
    width,
  );
}

/** One node that answers is not worth a word. */
function nodeLines({ nodes }: Status, width: number): string[] {
  if (nodes === null || (nodes.length < 2 && nodes.every(({ status }) => status === 'ok'))) return [];
  return titledTableLines(
    ['node', 'status'],
    nodes.map(({ name, status }) => [name, status]),
    width,
  );
}

function notificationLines({ notifications, atMs }: Status, width: number): string[] {
  if (notifications === null || notifications.length === 0) return [];
  return titledTableLines(
    ['notification', 'last delivered', 'waiting', 'given up'],
    notifications.map(({ name, lastDeliveredAtMs, queued, failed }) => [
      name,
      lastDeliveredAtMs === null ? 'never' : ago(lastDeliveredAtMs, atMs),
      formatCount(queued),
      formatCount(failed),
    ]),
    width,
  );
}

function jobLines({ jobs, atMs }: Status, width: number): string[] {
  if (jobs === null || jobs.length === 0) return [];
  return titledTableLines(
    ['job', 'environment', 'state', 'for', 'step'],
    jobs.map(({ id, kind, environmentName, state, step, startedAtMs, createdAtMs }) => [
      `${kind} ${id}`,
      environmentName,
      state,
      formatSpan(atMs - (startedAtMs ?? createdAtMs)),
      step,
    ]),
    width,
  );
}

function problemLines(problems: readonly Problem[], width: number): string[] {
  if (problems.length === 0) return [];
  const verb = problems.length === 1 ? 'needs' : 'need';
  return [
    `${formatNumberOf(problems.length, 'thing')} ${verb} you:`,
    ...problems.flatMap(({ message, command }) => [
      ...wrap(printable(message), width - 2).map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`)),
      `  $ ${printable(command)}`,
    ]),
  ];
}

function ago(timeMs: number, nowMs: number): string {
  return `${formatSpan(nowMs - timeMs)} ago`;
}
