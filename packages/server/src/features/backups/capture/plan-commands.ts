import type { BackupTask } from '@holdfast/protocol';
import { chooseInstance } from '../../environments/commands/choose-instance.ts';
import type { EnvironmentSurvey } from '../../environments/survey.ts';

export interface PlanCommandsOptions {
  /** Null: all. */
  readonly components: readonly string[] | null;
  /** Null: the first healthy one of each component. */
  readonly instance: string | null;
}

/**
 * The components whose backup is what a command prints, as the parts they become.
 * @throws HoldfastError `instance-not-running`
 */
export function planCommands(
  survey: Pick<EnvironmentSurvey, 'record' | 'environment' | 'commands' | 'docker'>,
  { components, instance: named }: PlanCommandsOptions,
): BackupTask['commands'] {
  const leftOut = new Set(
    (survey.environment?.components ?? []).filter(({ isLeftOut }) => isLeftOut).map(({ name }) => name),
  );
  return [...survey.commands].flatMap(([component, { backup }]) => {
    if (backup === undefined || leftOut.has(component)) return [];
    if (components !== null && !components.includes(component)) return [];
    const { containerId, name: containerName } = chooseInstance(survey, component, { named });
    return [
      {
        name: `${component}:command`,
        source: { kind: 'command' as const, component },
        mountPoints: [],
        dockerHost: survey.docker.host,
        containerId,
        containerName,
        command: backup.command,
        timeoutMs: backup.timeoutMs,
        endPattern: backup.endPattern,
      },
    ];
  });
}
