import { openBackend } from '../../backend/open-backend.ts';
import { asId } from '../../format/id-codec.ts';
import type { SnapshotId } from '../../format/ids.ts';
import { utcTimestamp } from '../../format/timestamp.ts';
import { forgetSnapshots } from '../../maintenance/forget.ts';
import { executePrune } from '../../maintenance/prune/execute-prune.ts';
import { planPrune } from '../../maintenance/prune/plan-prune.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { systemRuntime } from '../../repository/runtime.ts';
import { backupSources } from '../../snapshot/backup.ts';
import { sourcesFromArguments } from '../../snapshot/source-arguments.ts';
import { quickScrypt } from '../manual-runtime.ts';
import { say } from '../say.ts';
import { snapshotOf } from '../test-repository.ts';
import { TellingBackend } from './telling-backend.ts';
import type { ToldCall, VictimTask } from './victim-task.ts';

/** A process to be killed: does one task, and tells of every call of the backend on its standard output. */
const task: VictimTask = JSON.parse(process.argv[2] ?? '{}');
const runtime = { ...systemRuntime(), scrypt: quickScrypt };

// As every holder of a lock does: stock restic's `unlock` sends it.
process.on('SIGHUP', () => {});

const counts = { begun: 0, ended: 0 };

function tell(call: ToldCall): void {
  // Not process.stdout: the line has to be out before the call goes on.
  say(`${call.hasEnded ? '<' : '>'} ${call.call} ${call.kind} ${call.id}\n`);
  const point = task.killAt;
  if (point === undefined || point.call !== call.call || point.kind !== call.kind) return;
  const number = call.hasEnded ? counts.ended++ : counts.begun++;
  if (number !== point.number || call.hasEnded !== (point.moment === 'after')) return;
  if (point.moment === 'before') die();
  else if (point.delayMs === 0) setImmediate(die);
  else setTimeout(die, point.delayMs);
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

const backend = new TellingBackend(openBackend(task.repository), tell);
const open = (password: string): Promise<Repository> => openRepository({ backend, password, runtime });

const verbs: Readonly<Record<VictimTask['verb'], () => Promise<void>>> = {
  backup: async () => backUp(await open(task.password)),
  forget: async () => {
    const repository = await open(task.password);
    await using lock = await repository.lock('shared');
    await forgetSnapshots(repository, snapshotIds(), { lock });
  },
  prune: async () => {
    const repository = await open(task.password);
    await using lock = await repository.lock('exclusive');
    await forgetSnapshots(repository, snapshotIds(), { lock });
    await executePrune(await planPrune(repository, { lock, maxUnused: 0 }));
  },
  'key-add': async () => {
    const repository = await open(task.password);
    await using _lock = await repository.lock('shared');
    await repository.keys.add(task.otherPassword ?? '');
  },
  'key-remove': async () => {
    const other = (await (await open(task.otherPassword ?? '')).keys.list()).find(
      ({ isCurrent }) => isCurrent,
    );
    const repository = await open(task.password);
    await using lock = await repository.lock('exclusive');
    if (other !== undefined) await repository.keys.remove(other.id, { lock });
  },
};

function snapshotIds(): SnapshotId[] {
  return (task.snapshotIds ?? []).map((id) => asId<SnapshotId>(id));
}

async function backUp(repository: Repository): Promise<void> {
  const source = task.source ?? '';
  const startedAtMs = Date.now();
  await using lock = await repository.lock('shared');
  const { snapshots: before } = await repository.snapshots.list({ paths: [source] });
  const parent = before.at(-1);
  await using writer = await repository.openWriter({ lock });
  const { blobs, polynomial, snapshots } = repository;
  const { treeId, warningCount } = await backupSources({
    writer,
    blobs,
    polynomial,
    sources: sourcesFromArguments([source]),
    parent: parent && { treeId: parent.tree, startedAtMs: Number(parent.time.epochNs / 1_000_000n) },
    options: { localTime: true, ownerNames: true },
  });
  if (warningCount > 0) throw new Error('Not everything could be read.');
  await writer.flush();
  const fields = { time: utcTimestamp(startedAtMs), paths: [source], tags: [task.tag ?? ''] };
  await snapshots.save(snapshotOf(treeId, fields), { lock });
}

await verbs[task.verb]();
say('done\n');
