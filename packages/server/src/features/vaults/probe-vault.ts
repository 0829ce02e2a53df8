import { type Abortable, HoldfastError } from '@holdfast/base';
import type { MoverEvent, StorageAccess, VaultReport, VaultTask } from '@holdfast/protocol';
import { type LoneMoverOptions, startLoneMover } from '../../runner/lone-mover.ts';

/** What becomes of each thing that a vault is asked. */
const reportOf = {
  open: 'opened',
  test: 'tested',
  list: 'listed',
  measure: 'measured',
} as const satisfies Record<VaultTask['action']['kind'], VaultReport['kind']>;

type Action = VaultTask['action'];
type ReportOf<A extends Action> = Extract<VaultReport, { kind: (typeof reportOf)[A['kind']] }>;

export interface VaultPlace {
  readonly location: string;
  /** For a bucket. */
  readonly storage?: StorageAccess | undefined;
}

/**
 * Has a mover look at a vault, or try it out.
 *
 * @throws HoldfastError `storage-*`, `usage-invalid` for a location that cannot be used, and what `Mover.waitFor` throws
 */
export type ProbeVault = <A extends Action>(
  place: VaultPlace,
  action: A,
  options?: Abortable,
) => Promise<ReportOf<A>>;

/** Storage that answers answers within this; measuring it takes as long as there is something to list. */
const limitMs: Readonly<Record<Action['kind'], number>> = {
  open: 60_000,
  test: 60_000,
  list: 120_000,
  measure: 600_000,
};

export function createProbeVault(options: LoneMoverOptions): ProbeVault {
  return async <A extends Action>(place: VaultPlace, action: A, { signal }: Abortable = {}) => {
    const kind = reportOf[action.kind];
    const reports: VaultReport[] = [];
    const onEvent = (event: MoverEvent): void => {
      if (event.type === 'vault') reports.push(event.report);
    };
    await using probing = await startLoneMover(
      options,
      (base) => ({ ...base, kind: 'vault', ...place, action }),
      onEvent,
    );
    const { mover } = probing;
    const limit = AbortSignal.timeout(limitMs[action.kind]);
    mover.send({ type: 'go' });
    try {
      await mover.waitForSuccess({ signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
    } catch (error) {
      throw limit.aborted ? tooSlow(place.location) : error;
    }
    const report = reports.find((each): each is ReportOf<A> => each.kind === kind);
    if (report !== undefined) return report;
    throw new HoldfastError('mover-failed', 'The mover did not say what it found in the vault.');
  };
}

function tooSlow(location: string): HoldfastError {
  return new HoldfastError('storage-unreachable', `${location} did not answer in time.`, {
    hint: 'Check that it is up and can be reached from the machine of the server.',
    retry: true,
    context: { location },
  });
}
