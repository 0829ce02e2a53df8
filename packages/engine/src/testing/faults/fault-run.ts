import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/base';
import type { FileKind } from '../../backend/backend.ts';
import { openBackend } from '../../backend/open-backend.ts';
import { withRetries } from '../../backend/wrappers/retries.ts';
import { checkRepository } from '../../maintenance/check.ts';
import { verifyTree } from '../../snapshot/verify.ts';
import type { CorruptionSite } from '../corruption/corruption-site.ts';
import { TellingBackend } from '../crash/telling-backend.ts';
import { FaultBackend } from '../fault-backend.ts';
import type { BackendMethod, FaultEffect, ScriptedFault } from '../fault-script.ts';
import type { FaultVerb } from './fault-verbs.ts';

/** Nothing waits for anything here: what takes longer hangs. */
const hangMs = 120_000;

export interface FaultCase {
  readonly verb: FaultVerb;
  readonly fault: ScriptedFault;
  /** Behind the wrapper that repeats calls. A fault that happens once must then not be noticed at all. */
  readonly hasRetries: boolean;
}

/** A method with a kind of file, and how often a run of the verb that goes well calls it. */
interface CallSort {
  readonly method: BackendMethod;
  readonly kind: FileKind | undefined;
  readonly calls: number;
}

const effects: readonly FaultEffect[] = ['fails', 'fails-after', 'fails-for-good', 'slow'];
const effectsOfBytes: readonly FaultEffect[] = ['truncated', 'flipped'];

/** Every call of every verb failing once, and every sort of call always, in each way. At most so many calls of a sort. */
export async function planFaults(
  site: CorruptionSite,
  { verbs, mostCalls }: { readonly verbs: readonly FaultVerb[]; readonly mostCalls: number },
): Promise<FaultCase[]> {
  const planned: FaultCase[] = [];
  for (const verb of verbs) {
    for (const sort of await callsOf(site, verb)) {
      for (const effect of isReading(sort) ? [...effects, ...effectsOfBytes] : effects) {
        planned.push(...faultsOf(verb, { sort, effect, mostCalls }));
      }
    }
  }
  return planned;
}

function* faultsOf(
  verb: FaultVerb,
  {
    sort,
    effect,
    mostCalls,
  }: { readonly sort: CallSort; readonly effect: FaultEffect; readonly mostCalls: number },
): Generator<FaultCase, void> {
  const { method, kind, calls } = sort;
  const fault = { method, effect, ...(kind === undefined ? {} : { kind }) };
  yield { verb, fault, hasRetries: false };
  if (effect === 'fails') yield { verb, fault, hasRetries: true };
  for (const call of spread(calls, mostCalls)) {
    yield { verb, fault: { ...fault, calls: [call] }, hasRetries: false };
    if (effect === 'fails' || effect === 'fails-after') {
      yield { verb, fault: { ...fault, calls: [call] }, hasRetries: true };
    }
  }
}

/** Does the verb with the fault, and judges what it gave and what it left. @throws Error for what is not good */
export async function proveFault(
  site: CorruptionSite,
  { verb, fault, hasRetries }: FaultCase,
): Promise<void> {
  const copy = await prepare(site, verb);
  const faulty = new FaultBackend(openBackend(copy), [fault]);
  const sleep = async (): Promise<void> => {};
  const backend = hasRetries ? withRetries(faulty, { sleep }) : faulty;
  const before = verb.isReading === true ? await contents(copy) : undefined;
  const outcome = await outcomeOf(verb.run({ site, copy, backend }));
  if (before !== undefined && before !== (await contents(copy))) throw new Error('it changed the repository');
  const isOnce = fault.calls !== undefined;
  if (outcome === undefined && !isOnce && fault.effect === 'fails-for-good' && fault.method !== 'remove') {
    if (faulty.script.unused.length === 0 && !mayGoWithout(fault)) throw new Error('it did not notice');
  }
  if (outcome !== undefined && isOnce && hasRetries) {
    throw new Error(`one fault stopped it in spite of retries: ${outcome.message}`, { cause: outcome });
  }
  await assertSound(site, { verb, copy, hasFailed: outcome !== undefined });
}

export function describeFault({ verb, fault, hasRetries }: FaultCase): string {
  const { method, kind = '', calls, effect } = fault;
  const when = calls === undefined ? 'always' : `at call ${calls.join()}`;
  return `${verb.name}: ${method} ${kind} ${effect} ${when}${hasRetries ? ', with retries' : ''}`;
}

/** Leftovers are cleared away by the way. */
function mayGoWithout({ method }: ScriptedFault): boolean {
  return method === 'removeLeftovers';
}

/** The repository's files but for locks. */
async function contents(copy: string): Promise<string> {
  const backend = openBackend(copy);
  const kinds = ['key', 'snapshot', 'index', 'data'] as const;
  return JSON.stringify(await Promise.all(kinds.map((kind) => Array.fromAsync(backend.list(kind)))));
}

/** undefined when it went well. @throws Error when it hangs, or ends with anything but a coded error */
async function outcomeOf(work: Promise<void>): Promise<HoldfastError | undefined> {
  const timer = new AbortController();
  const hanging = delay(hangMs, 'hangs' as const, { signal: timer.signal }).catch(() => undefined);
  try {
    if ((await Promise.race([work, hanging])) === 'hangs') throw new Error('it hangs');
    return undefined;
  } catch (error) {
    if (error instanceof HoldfastError && error.code !== 'internal') return error;
    throw error;
  } finally {
    timer.abort();
  }
}

async function prepare(site: CorruptionSite, verb: FaultVerb): Promise<string> {
  const copy = await site.copy({ hasLocks: false });
  if (verb.name === 'init') return join(site.freshTarget(), 'new');
  await verb.prepare?.({ site, copy });
  return copy;
}

async function callsOf(site: CorruptionSite, verb: FaultVerb): Promise<CallSort[]> {
  const copy = await prepare(site, verb);
  const counts = new Map<string, CallSort>();
  const backend = new TellingBackend(openBackend(copy), ({ call, kind, hasEnded }) => {
    if (hasEnded) return;
    const key = `${call} ${kind}`;
    const ofAllKinds = call === 'create' || call === 'removeLeftovers';
    const sort = { method: call, kind: ofAllKinds ? undefined : kind };
    counts.set(key, { ...sort, calls: (counts.get(key)?.calls ?? 0) + 1 });
  });
  await verb.run({ site, copy, backend });
  return [...counts.values()];
}

function isReading({ method }: CallSort): boolean {
  return method === 'load' || method === 'loadRange';
}

/** The numbers from 1 to `last`, or so many of them with the first and the last. */
function spread(last: number, most: number): number[] {
  const count = Math.min(last, most);
  const numbers = Array.from({ length: count }, (_, at) =>
    count === 1 ? 1 : 1 + Math.round((at * (last - 1)) / (count - 1)),
  );
  return [...new Set(numbers)];
}

/** Nothing is damaged, and every snapshot that was there before can be restored whole. */
async function assertSound(
  site: CorruptionSite,
  { verb, copy, hasFailed }: { readonly verb: FaultVerb; readonly copy: string; readonly hasFailed: boolean },
): Promise<void> {
  if (verb.name === 'init') {
    if (hasFailed) await assertInitAgain(site, copy, verb);
    return;
  }
  if (verb.isReading === true) return;
  const repository = await site.open(copy);
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(`check found: ${JSON.stringify(errors).slice(0, 1000)}`);
  const mayLackFirst = verb.name === 'forget' || verb.name === 'prune';
  const { snapshots } = await repository.snapshots.list();
  await repository.refreshIndex();
  for (const [at, { id }] of site.snapshots.entries()) {
    const snapshot = snapshots.find((other) => other.id === id);
    if (snapshot === undefined) {
      if (at === 0 && mayLackFirst) continue;
      throw new Error(`snapshot ${id} is gone`);
    }
    await verifyTree({ blobs: repository.blobs, treeId: snapshot.tree });
  }
}

/** The next init works, or there is a repository that opens. */
async function assertInitAgain(site: CorruptionSite, copy: string, verb: FaultVerb): Promise<void> {
  const outcome = await outcomeOf(verb.run({ site, copy, backend: openBackend(copy) }));
  if (outcome === undefined) return;
  if (outcome.code !== 'repository-exists') throw outcome;
  await site.open(copy);
}
