import type { EnvironmentSchedule } from '@holdfast/protocol';
import { formatMinute } from '../../output/quantities.ts';

const sources: Readonly<Record<EnvironmentSchedule['source'], string>> = {
  default: 'the default for its type',
  project: 'set for its project (project:curl settings)',
  environment: 'set for it (schedule:set)',
};

/** One screen: when, what is kept, what came of it last, what comes next. */
export function scheduleLines(schedule: EnvironmentSchedule): readonly string[] {
  const { environmentName, type, project, source, schedules, nextRuns, maxBackups, manualCount } = schedule;
  const lines = [
    `Environment (Compose project) ${environmentName}, ${type}, of the project ${project}`,
    `Schedules are ${sources[source]}.`,
    '',
  ];
  if (schedules.length === 0) lines.push('Nothing is backed up by itself.');
  for (const each of schedules) {
    const what = each.component === null ? '' : `${each.component}, `;
    lines.push(`  ${what}${each.due} (${each.timezone}); kept: ${each.keeps}`);
    if (each.lastRun !== null) {
      const { backupId, atMs, status, reason } = each.lastRun;
      lines.push(
        `    last: ${formatMinute(atMs)} ${backupId} ${status}${reason === null ? '' : `: ${reason}`}`,
      );
    }
    if (each.skipped !== null)
      lines.push(`    passed over ${formatMinute(each.skipped.atMs)}: ${each.skipped.reason}`);
  }
  if (nextRuns.length > 0) {
    lines.push('', 'Next:');
    for (const { atMs, schedules: ids } of nextRuns) lines.push(`  ${formatMinute(atMs)}  ${ids.join(', ')}`);
  }
  lines.push(
    '',
    `At most ${maxBackups ?? 'any number of'} backups in all, ${manualCount ?? 'any number of'} manual ones.`,
    ...schedule.warnings.map((warning) => `warning: ${warning}`),
  );
  return lines;
}
