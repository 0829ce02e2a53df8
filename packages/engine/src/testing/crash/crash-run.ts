import { join } from 'node:path';
import { SeededRandom } from '../seeded-random.ts';
import { CrashSite, type CrashSiteOptions, crashPassword } from './crash-site.ts';
import { assertNothingLost } from './expectation.ts';
import { describeKill, killInPhase, type PlannedKill, planKills, wantedPhases } from './kill-plan.ts';
import { type ProcessEnd, runProcess, runVictim, type VictimEnd } from './run-victim.ts';
import { type CrashPhase, phaseOf, type VictimTask, type VictimVerb } from './victim-task.ts';

const holdfastPath = join(import.meta.dirname, '../../../../../bin/holdfast');
const mostSnapshots = 4;
const otherPassword = 'comes and goes';

export interface CrashRunOptions extends CrashSiteOptions {
  readonly kills: number;
  /** When the planned kills are done, more are added until so many met each phase. */
  readonly leastOfPhase?: number | undefined;
  /** Other verbs are left out. */
  readonly verbs?: readonly VictimVerb[] | undefined;
  /** Told of every kill that was judged. */
  readonly onKill?: (kill: JudgedKill) => void;
}

export interface JudgedKill {
  readonly number: number;
  readonly planned: number;
  readonly kill: string;
  /** undefined when the process had ended before its kill came. */
  readonly phase: CrashPhase | undefined;
  /** Why the state that the kill left is not good; undefined if it is. */
  readonly failure: string | undefined;
}

export interface CrashRunResult {
  readonly kills: number;
  readonly phases: Readonly<Partial<Record<CrashPhase, number>>>;
  readonly failures: readonly JudgedKill[];
}

/**
 * Kills processes at backup, forget, prune and key changes, one after the other on one repository, and judges what
 * each leaves. The same seed plans the same kills; what a kill by time meets is up to the machine.
 */
export async function runCrashes(options: CrashRunOptions): Promise<CrashRunResult> {
  const run = new CrashRun(await CrashSite.make(options), options.seed);
  const { verbs, onKill, leastOfPhase = 0 } = options;
  const planned = planKills(options.kills, new SeededRandom(options.seed)).filter(
    ({ verb }) => verbs === undefined || verbs.includes(verb),
  );
  const judged: JudgedKill[] = [];
  const killOnce = async (kill: PlannedKill): Promise<void> => {
    const verdict = await run.killAndJudge(kill);
    const one = { number: judged.length + 1, planned: planned.length, kill: describeKill(kill), ...verdict };
    judged.push(one);
    onKill?.(one);
  };
  for (const kill of planned) await killOnce(kill);
  for (const phase of wantedPhases) {
    const met = judged.filter((kill) => kill.phase === phase).length;
    for (let more = met; more < leastOfPhase; more += 1) await killOnce(killInPhase(phase));
  }
  const phases: Partial<Record<CrashPhase, number>> = {};
  for (const { phase } of judged) if (phase !== undefined) phases[phase] = (phases[phase] ?? 0) + 1;
  return {
    kills: judged.filter(({ phase }) => phase !== undefined).length,
    phases,
    failures: judged.filter(({ failure }) => failure !== undefined),
  };
}

type Verdict = Pick<JudgedKill, 'phase' | 'failure'>;

class CrashRun {
  readonly #site: CrashSite;
  readonly #random: SeededRandom;
  readonly #lengthsMs = new Map<string, number>();
  #judged = 0;

  constructor(site: CrashSite, seed: number) {
    this.#site = site;
    this.#random = new SeededRandom(seed + 1);
  }

  async killAndJudge(kill: PlannedKill): Promise<Verdict> {
    let phase: CrashPhase | undefined;
    try {
      const afterMs = kill.by === 'time' ? kill.share * (await this.#length(kill)) : undefined;
      const task = await this.#prepare(kill.verb);
      const before = await this.#contents();
      const end = await this.#kill(kill, task, afterMs);
      if (end.status !== null && end.status !== 0) throw new Error(`It failed: ${end.errors}`);
      const isTelling = kill.isCommand !== true;
      if (end.status === null) {
        phase = isTelling ? phaseOf(kill.verb, end.told) : reached(kill.verb, before, await this.#contents());
      }
      await assertNothingLost(this.#site, { task, told: end.told, before: before.snapshot, isTelling });
      await this.#judge();
      await this.#complete(task);
      return { phase, failure: undefined };
    } catch (error) {
      return { phase, failure: textOf(error) };
    }
  }

  async #contents(): Promise<Contents> {
    return await this.#site.contents();
  }

  /** How long the verb takes from start to end when nobody kills it. */
  async #length(kill: PlannedKill): Promise<number> {
    const key = `${kill.verb} ${kill.isCommand === true}`;
    const known = this.#lengthsMs.get(key);
    if (known !== undefined) return known;
    const { durationMs } = await this.#mustEnd(await this.#prepare(kill.verb), kill.isCommand === true);
    await this.#clearKeys();
    this.#lengthsMs.set(key, durationMs);
    return durationMs;
  }

  /** Makes sure that the verb has something to do. */
  async #prepare(verb: VictimVerb): Promise<VictimTask> {
    const common = { verb, repository: this.#site.repository, password: crashPassword };
    switch (verb) {
      case 'backup':
        await this.#keepSmall();
        this.#site.change();
        return { ...common, source: this.#site.tree.path, tag: this.#site.tag };
      case 'forget':
      case 'prune': {
        for (
          let there = await this.#site.snapshots();
          there.length < 3;
          there = await this.#site.snapshots()
        ) {
          await this.#mustEnd(await this.#prepare('backup'));
        }
        const ids = (await this.#site.snapshots()).map(({ id }) => id);
        return { ...common, snapshotIds: ids.slice(0, 1 + this.#random.integer(2)) };
      }
      case 'key-add':
        return { ...common, otherPassword };
      case 'key-remove':
        await this.#mustEnd({ ...common, verb: 'key-add', otherPassword });
        return { ...common, otherPassword };
    }
  }

  /** Stock restic clears up what so many kills leave. */
  async #keepSmall(): Promise<void> {
    const { repository, restic } = this.#site;
    const snapshots = await this.#site.snapshots();
    if (snapshots.length < mostSnapshots) return;
    const ids = snapshots.slice(0, -2).map(({ id }) => id);
    await restic.run(repository, crashPassword, 'forget', '--prune', ...ids);
  }

  async #kill(kill: PlannedKill, task: VictimTask, afterMs: number | undefined): Promise<VictimEnd> {
    if (kill.by === 'call') return await runVictim({ ...task, killAt: kill.point });
    if (kill.isCommand !== true) return await runVictim(task, afterMs);
    return { ...(await this.#command(task, afterMs)), told: [] };
  }

  /** Judges copies, so that what stock restic clears away on the way is there for our own next run. */
  async #judge(): Promise<void> {
    const site = this.#site;
    const by = this.#judged % 2 === 0 ? 'ours' : 'restic';
    this.#judged += 1;
    const copy = await site.copy();
    await site.checkWithRestic(copy);
    if (by === 'ours') await site.checkWithOurs(copy);
    for (const snapshot of await site.snapshots()) await site.restore(copy, snapshot, by);
  }

  /** Holdfast's own next run: the same again, with no unlock by hand. */
  async #complete(task: VictimTask): Promise<void> {
    const there = new Set((await this.#site.snapshots()).map(({ id }) => String(id)));
    const left = task.snapshotIds?.filter((id) => there.has(id));
    const isCommand = task.otherPassword === undefined && left?.length !== 0 && this.#judged % 2 === 0;
    if (task.verb === 'key-remove') await this.#mustEnd({ ...task, verb: 'key-add' });
    await this.#mustEnd({ ...task, ...(left === undefined ? {} : { snapshotIds: left }) }, isCommand);
    await this.#clearKeys();
    if ((await this.#contents()).lock.length > 0) throw new Error('The next run left a lock.');
  }

  /** Removes every key of the other password. */
  async #clearKeys(): Promise<void> {
    const { repository } = this.#site;
    const task = { verb: 'key-remove', repository, password: crashPassword, otherPassword } as const;
    while (await this.#site.opens(otherPassword)) await this.#mustEnd(task);
  }

  async #mustEnd(task: VictimTask, isCommand = false): Promise<ProcessEnd> {
    const end = isCommand ? await this.#command(task) : await runVictim(task);
    if (end.status !== 0) throw new Error(`${task.verb} did not end well: ${end.errors}`);
    return end;
  }

  async #command(task: VictimTask, killAfterMs?: number): Promise<ProcessEnd> {
    const env = { RESTIC_REPOSITORY: task.repository, RESTIC_PASSWORD: task.password };
    return await runProcess(holdfastPath, commandWords(task), { killAfterMs, env });
  }
}

type Contents = Awaited<ReturnType<CrashSite['contents']>>;

/** The phase of a process that tells nothing, from the files that it has left and removed. */
function reached(verb: VictimVerb, before: Contents, after: Contents): CrashPhase {
  const hasNew = (kind: keyof Contents): boolean => after[kind].some((id) => !before[kind].includes(id));
  const hasLess = (kind: keyof Contents): boolean => before[kind].some((id) => !after[kind].includes(id));
  if (verb === 'backup') {
    if (hasNew('snapshot')) return 'snapshot';
    if (hasNew('index')) return 'index';
    if (hasNew('data')) return 'pack';
    return hasNew('lock') ? 'scan' : 'start';
  }
  if (hasLess('data') || hasLess('index') || (verb === 'forget' && hasLess('snapshot'))) return 'delete';
  if (hasNew('index')) return 'index';
  if (hasNew('data')) return 'repack';
  return hasNew('lock') ? 'plan' : 'start';
}

function commandWords({ verb, source = '', tag = '', snapshotIds = [] }: VictimTask): readonly string[] {
  switch (verb) {
    case 'backup':
      return ['repository:backup', '--tag', tag, source];
    case 'forget':
      return ['repository:forget', '--yes', ...snapshotIds];
    case 'prune':
      return snapshotIds.length === 0
        ? ['repository:prune', '--yes']
        : ['repository:forget', '--prune', '--yes', ...snapshotIds];
    case 'key-add':
    case 'key-remove':
      throw new Error('The command asks for passwords in files: key changes are left to the victim.');
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = 'stderr' in error ? ` ${String(error.stderr)}` : '';
  return `${error.message}${stderr}`;
}
