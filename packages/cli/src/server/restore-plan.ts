import { posix } from 'node:path';
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
import { pathInBackup } from './path-in-backup.ts';

export interface RestorePlan {
  readonly backup: Backup;
  /** What of it is restored. */
  readonly items: readonly RestoreItem[];
  /** The environment that is overwritten; undefined for the one that the backup is of. */
  readonly target: Environment | undefined;
  /** Whether what is overwritten is kept. */
  readonly safety: boolean;
}

/** A part, or a file or directory in it. */
export interface RestoreItem {
  readonly part: SealedPart;
  /** Within the part; undefined for all of it. */
  readonly path: string | undefined;
}

export interface RestoreChoice {
  readonly component?: readonly string[];
  readonly path?: readonly string[];
}

/**
 * What of a backup is restored.
 * @throws HoldfastError `component-unknown`, `path-unknown` when the backup has nothing of a component, or no part that was
 *   asked for; `usage-invalid` for both at once
 */
export function itemsToRestore(backup: Backup, { component, path }: RestoreChoice): readonly RestoreItem[] {
  if (path === undefined) return partsOf(backup, component).map((part) => ({ part, path: undefined }));
  if (component !== undefined) {
    throw new HoldfastError('usage-invalid', 'Give --component, or --path: not both.', {
      hint: 'A path begins with the name of a part: holdfast backup:files lists them.',
    });
  }
  return path.flatMap((text) => {
    const place = pathInBackup(backup, text);
    const part = backup.parts.find(({ name }) => name === place.part);
    return part === undefined ? [] : [{ part, path: place.path === '' ? undefined : place.path }];
  });
}

function partsOf(backup: Backup, components: readonly string[] | undefined): readonly SealedPart[] {
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
  const { backup, items, target, safety } = plan;
  const description = backup.description === '' ? '' : `, "${backup.description}"`;
  const isOfPaths = items.some(({ path }) => path !== undefined);
  const count = formatNumberOf(items.length, isOfPaths ? 'path' : 'part');
  const hasFiles = items.some(({ part }) => part.source.kind !== 'command');
  const time = formatMinute(backup.createdAtMs);
  const fate = safety ? 'kept for 7 days, as a backup of the kind safety' : 'lost';
  if (target === undefined) {
    const meanwhile = hasFiles ? 'Containers stop meanwhile; what' : 'What';
    return [
      `Environment (Compose project) ${backup.environmentName}: ${count} will go back to ${time},`,
      `backup ${backup.id}${description}. ${meanwhile} was written since is ${fate}:`,
      ...items.map((item) => `  ${itemText(item)}`),
    ];
  }
  const meanwhile = hasFiles ? `Containers of ${target.name} stop meanwhile; what` : 'What';
  return [
    `Environment (Compose project) ${target.name} on ${target.nodeName}: ${count} will become what another one, ${backup.environmentName},`,
    `was at ${time}, backup ${backup.id}${description}. ${meanwhile} ${target.name} has there is ${fate}:`,
    ...items.map((item) => `  ${itemText(item)} → ${placeText(item.part, plan, target)}`),
  ];
}

function itemText({ part, path }: RestoreItem): string {
  if (path === undefined) return `${part.name} (${partText(part)})`;
  const places = part.mountPoints.map((point) => `${point.component}:${posix.join(point.path, path)}`);
  return `${part.name}/${path} (${places.join(', ')})`;
}

/** What is about to be made, of what. */
export function branchPlanLines({
  backup,
  items,
  name,
  parent,
}: Pick<RestorePlan, 'backup' | 'items'> & { readonly name: string; readonly parent: string }): string[] {
  return [
    `A new environment (Compose project) ${name} is made beside ${parent}, with ${formatNumberOf(items.length, 'part')} of ${backup.environmentName}`,
    `as of ${formatMinute(backup.createdAtMs)}, backup ${backup.id}:`,
    ...items.map((item) => `  ${itemText(item)}`),
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
