import type { FeedTask, SealedPart } from '@holdfast/protocol';
import { chooseInstance } from '../environments/commands/choose-instance.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';

export interface PlanFeedOptions {
  /** Null: all of the backup. */
  readonly components: readonly string[] | null;
  /** Null: the first healthy one of each component. */
  readonly instance: string | null;
}

export interface FeedPlan {
  readonly commands: FeedTask['commands'];
  /** Those that take something in. */
  readonly components: readonly string[];
  /** One for each part that no command takes, with the reason. */
  readonly warnings: readonly string[];
}

/**
 * Which restore command takes which part. The commands are the environment's own, as they are now: none comes from the
 * backup.
 * @throws HoldfastError `instance-not-running`
 */
export function planFeed(
  parts: readonly SealedPart[],
  survey: Pick<EnvironmentSurvey, 'record' | 'environment' | 'commands' | 'docker'>,
  { components, instance: named }: PlanFeedOptions,
): FeedPlan {
  const commands: FeedTask['commands'] = [];
  const fed = new Set<string>();
  const warnings: string[] = [];
  for (const { name, source, treeId, bytes } of parts) {
    if (source.kind !== 'command') continue;
    const { component } = source;
    if (components !== null && !components.includes(component)) continue;
    const restore = survey.commands.get(component)?.restore;
    if (restore === undefined) {
      warnings.push(`Not restored: ${name}: ${component} has no restore command now.`);
      continue;
    }
    fed.add(component);
    const { containerId, name: containerName } = chooseInstance(survey, component, named);
    const { command, timeoutMs } = restore;
    const { host: dockerHost } = survey.docker;
    commands.push({ name, treeId, bytes, dockerHost, containerId, containerName, command, timeoutMs });
  }
  return { commands, components: [...fed], warnings };
}
