import { resolve } from 'node:path';
import { type Abortable, HoldfastError } from '@holdfast/base';
import type { Repository, Snapshot } from '@holdfast/engine';
import { collect } from '../command/arguments.ts';
import type { CliCommand } from '../command/cli-command.ts';
import type { CliContext } from '../context.ts';

/** Which snapshots are meant, as restic's options say it. */
export interface SnapshotSelection {
  /** Any of these. */
  readonly host?: readonly string[];
  /** Any of these, each a list with commas between of which a snapshot must have all. */
  readonly tag?: readonly string[];
  /** All of these. */
  readonly path?: readonly string[];
}

/** Adds `--host`, `--tag` and `--path`. `hostFlag`: where `-H` means something else; `usual`: what holds without it. */
export function selectionOptions(
  command: CliCommand,
  what: string,
  { hostFlag = '-H, --host <host>', usual = ' (default: RESTIC_HOST)' } = {},
): CliCommand {
  return command
    .option(hostFlag, `${what} of this host; may be given several times${usual}`, collect)
    .option('--tag <tag[,tag]>', `${what} with all these tags; may be given several times`, collect)
    .option('--path <path>', `${what} of this path; may be given several times, then of all`, collect);
}

/** The same, with the host that `RESTIC_HOST` names where none is given. */
export function selectionOf({ env }: Pick<CliContext, 'env'>, given: SnapshotSelection): SnapshotSelection {
  const { host = env.RESTIC_HOST ? [env.RESTIC_HOST] : undefined, tag, path } = given;
  return { ...(host && { host }), ...(tag && { tag }), ...(path && { path }) };
}

export function isSelected(snapshot: Snapshot, { host, tag, path }: SnapshotSelection): boolean {
  return (
    (host === undefined || host.includes(snapshot.hostname)) &&
    (tag === undefined || tag.some((list) => hasAllTags(snapshot, list))) &&
    (path ?? []).every((each) => snapshot.paths.includes(resolve(each)))
  );
}

/**
 * The snapshot that the user means by its id, the beginning of its id, or `latest` among the selected ones.
 *
 * @throws HoldfastError `snapshot-unknown`; `snapshot-ambiguous`; `repository-damaged`
 */
export async function findSnapshot(
  repository: Repository,
  reference: string,
  { selection, signal }: Abortable & { readonly selection: SnapshotSelection },
): Promise<Snapshot> {
  if (reference !== 'latest') return await repository.snapshots.find(reference, { signal });
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  const [first] = damaged;
  if (first !== undefined) {
    throw new HoldfastError(
      'repository-damaged',
      `Snapshot ${first.id} cannot be read and may be the latest.`,
      {
        hint: 'Name the snapshot by its id.',
        cause: first.error,
      },
    );
  }
  const latest = snapshots.findLast((snapshot) => isSelected(snapshot, selection));
  if (latest !== undefined) return latest;
  throw new HoldfastError('snapshot-unknown', 'There is no such snapshot.', {
    hint: 'See `holdfast repository:snapshots`.',
  });
}

/** An empty list stands for snapshots without tags, as with restic. */
function hasAllTags(snapshot: Snapshot, list: string): boolean {
  if (list === '') return snapshot.tags.length === 0;
  return list.split(',').every((tag) => snapshot.tags.includes(tag));
}
