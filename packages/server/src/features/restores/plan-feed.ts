import type { FeedTask, SealedPart } from '@holdfast/protocol';
import { chooseInstance } from '../environments/commands/choose-instance.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import { isChosen, type RestoreChoice } from './restore-choice.ts';

export interface PlanFeedOptions extends RestoreChoice {
  /** Null: the first healthy one of each component. */
  readonly instance: string | null;
  /** Whether those where commands are to run are only started by the restore. */
  readonly mayBeStopped?: boolean;
  /** Containers that others will have taken the place and name of by then. */
  readonly replaced?: ReadonlySet<string>;
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
  { instance: named, mayBeStopped = false, replaced, ...choice }: PlanFeedOptions,
): FeedPlan {
  const commands: FeedTask['commands'] = [];
  const fed = new Set<string>();
  const warnings: string[] = [];
  for (const part of parts) {
    const { name, source, treeId, bytes } = part;
    if (source.kind !== 'command' || !isChosen(part, choice)) continue;
    const { component } = source;
    const restore = survey.commands.get(component)?.restore;
    if (restore === undefined) {
      warnings.push(`Not restored: ${name}: ${component} has no restore command now.`);
      continue;
    }
    fed.add(component);
    const chosen = chooseInstance(survey, component, { named, mayBeStopped });
    const { name: containerName } = chosen;
    const containerId = replaced?.has(containerName) === true ? containerName : chosen.containerId;
    const { command, timeoutMs } = restore;
    const { host: dockerHost } = survey.docker;
    commands.push({ name, treeId, bytes, dockerHost, containerId, containerName, command, timeoutMs });
  }
  return { commands, components: [...fed], warnings };
}
