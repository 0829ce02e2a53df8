import { HoldfastError } from '@holdfast/base';
import {
  type Backup,
  componentsOfPart,
  type Environment,
  isOfMount,
  mountForPart,
  type SealedPart,
} from '@holdfast/protocol';
import { formatBytes, formatMinute, formatNumberOf } from '../output/quantities.ts';

export interface RestorePlan {
  readonly backup: Backup;
  /** Those that are restored. */
  readonly parts: readonly SealedPart[];
  /** The environment that is overwritten; undefined for the one that the backup is of. */
  readonly target: Environment | undefined;
  /** Whether what is overwritten is kept. */
  readonly safety: boolean;
}

/**
 * What of a backup is restored.
 * @throws HoldfastError `component-unknown` when the backup has nothing of a component that was asked for
 */
export function partsToRestore(
  backup: Backup,
  components: readonly string[] | undefined,
): readonly SealedPart[] {
  const data = backup.parts.filter(({ source }) => isOfMount(source) || source.kind === 'command');
  if (components === undefined) return data;
  const known = new Set(backup.parts.flatMap(componentsOfPart));
  const missing = components.find((component) => !known.has(component));
  if (missing !== undefined) {
    throw new HoldfastError(
      'component-unknown',
      `Backup ${backup.id} has nothing of a component "${missing}".`,
      {
        hint: `It has: ${[...known].join(', ')}.`,
      },
    );
  }
  return data.filter((part) => componentsOfPart(part).some((component) => components.includes(component)));
}

/** What is about to be overwritten, and by what. */
export function restorePlanLines(plan: RestorePlan): string[] {
  const { backup, parts, target, safety } = plan;
  const description = backup.description === '' ? '' : `, "${backup.description}"`;
  const count = formatNumberOf(parts.length, 'part');
  const hasFiles = parts.some(({ source }) => source.kind !== 'command');
  const time = formatMinute(backup.createdAtMs);
  const fate = safety ? 'kept for 7 days, as a backup of the kind safety' : 'lost';
  if (target === undefined) {
    const meanwhile = hasFiles ? 'Containers stop meanwhile; what' : 'What';
    return [
      `Environment (Compose project) ${backup.environmentName}: ${count} will go back to ${time},`,
      `backup ${backup.id}${description}. ${meanwhile} was written since is ${fate}:`,
      ...parts.map((part) => `  ${part.name} (${partText(part)})`),
    ];
  }
  const meanwhile = hasFiles ? `Containers of ${target.name} stop meanwhile; what` : 'What';
  return [
    `Environment (Compose project) ${target.name} on ${target.nodeName}: ${count} will become what another one, ${backup.environmentName},`,
    `was at ${time}, backup ${backup.id}${description}. ${meanwhile} ${target.name} has there is ${fate}:`,
    ...parts.map((part) => `  ${part.name} (${partText(part)}) → ${placeText(part, plan, target)}`),
  ];
}

function partText(part: SealedPart): string {
  if (part.source.kind === 'command') {
    return `to the restore command of ${part.source.component}, ${formatBytes(part.bytes)}`;
  }
  const places = part.mountPoints.map((point) => `${point.component}:${point.path}`);
  return [...places, formatNumberOf(part.files, 'file'), formatBytes(part.bytes)].join(', ');
}

function placeText(part: SealedPart, { backup }: RestorePlan, { name, mounts }: Environment): string {
  const { source } = part;
  if (source.kind === 'command') return `${source.component} of ${name}`;
  const mount = mountForPart(part, { parts: backup.parts, mounts, isElsewhere: true });
  return mount?.name ?? 'nowhere: the target has nothing that fits';
}
