import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '@holdfast/base';
import {
  boundPathsOf,
  type Container,
  compareModels,
  type EnvironmentModel,
  type MadeEnvironment,
  makeEnvironment,
  readEnvironmentModel,
  requireMakeable,
  withResources,
} from '@holdfast/docker';
import type { SealedPart } from '@holdfast/protocol';
import type { JobRequest } from '../jobs/job-record.ts';
import type { RestoreJournal } from '../jobs/journal-store.ts';
import { type FetchCodeOptions, fetchCode, pullImages, type TargetRequest } from './fetch-code.ts';
import { planOf } from './make-target.ts';
import { noteDifferences } from './note-differences.ts';
import { type PlannedProject, planProject } from './plan-project.ts';
import { privilegesBeyond, requireAllowed } from './privileges-beyond.ts';
import { isWhole } from './restore-choice.ts';

/** How the containers and the folder of an environment that is there become those of a backup. */
export interface CodeRestore {
  /** Undefined where it stays as it is. */
  readonly project: PlannedProject | undefined;
  /** Names of the containers that are made in the place of others, or anew. */
  readonly replaced: ReadonlySet<string>;
  /** By component: images that are called otherwise now than when the backup was made. */
  readonly pinned: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  /**
   * Makes the containers, with everything stopped. Answers the journal of both states. Undefined where all stay.
   * @throws HoldfastError as `makeEnvironment`: then all is as before
   */
  readonly replace: ((journal: RestoreJournal) => Promise<RestoreJournal>) | undefined;
  /** Removes what was replaced: `undo` does nothing from now on. */
  keep(): Promise<void>;
  undo(): Promise<void>;
}

/**
 * What a restore has to do beside bringing back data. Undefined where that is nothing: only some of it is restored, or into
 * another environment, or from an archive that was handed in.
 *
 * The images have been loaded by then, and nothing that was looked at stands in the way.
 * @throws HoldfastError `code-unusable`, `code-refused`, `image-unknown`, `network-unknown`, `volume-unknown`
 */
export async function planCodeRestore(
  options: FetchCodeOptions,
  target: TargetRequest,
): Promise<CodeRestore | undefined> {
  const { run, survey } = target;
  const { request } = run.job;
  if (request.kind !== 'restore') return undefined;
  const compared = await compareCode(options, target, request);
  if (compared === undefined) return undefined;
  for (const warning of compared.warnings) run.log('warn', warning);
  if (!request.code) return { ...nothingToDo, warnings: compared.warnings };
  const { docker } = survey;
  const { model, fields, settled, surplus, project, warnings } = compared;
  requireAllowed(compared.privileges, request);
  const { createExternal } = request;
  await pullImages(survey, model, run);
  const images = await requireMakeable(docker, model, { createExternal, signal: run.signal });
  let made: MadeEnvironment | undefined;
  const replace = async (journal: RestoreJournal): Promise<RestoreJournal> => {
    const plans = new Map([...model.containers, ...settled].map((each) => [each.name, planOf(each)]));
    made = await makeEnvironment(docker, model, {
      ...{ mark: run.job.id, createExternal, isHeldBack: true, signal: run.signal },
    });
    for (const [name, different] of fields)
      run.log('info', `Made ${name} as it was: ${different.join(', ')}`);
    const staying = journal.containers.filter(({ name }) => settled.some((each) => each.name === name));
    for (const { name, wasRunning } of staying) {
      const plan = plans.get(name);
      if (plan !== undefined && !isUndo(target.backup)) plans.set(name, { ...plan, wasRunning });
    }
    const ids = new Map([...made.containerIds, ...staying.map(({ name, id }) => [name, id] as const)]);
    return withMade(journal, { ids, plans, surplus });
  };
  return {
    project,
    replaced: new Set(fields.keys()),
    pinned: new Map(
      model.containers.flatMap(({ name, component, image }) => {
        const used = images.get(name) ?? image.reference;
        return used === image.reference ? [] : [[component, used] as const];
      }),
    ),
    warnings,
    replace: compared.changesContainers ? replace : undefined,
    keep: async () => {
      await made?.finish();
      made = undefined;
    },
    undo: async () => {
      await made?.undo();
      made = undefined;
    },
  };
}

/** What such a restore would do with them, for its log. */
export async function previewCode(options: FetchCodeOptions, target: TargetRequest): Promise<CodePreview> {
  const { run } = target;
  const { request } = run.job;
  const compared = request.kind === 'preview' ? await compareCode(options, target, request) : undefined;
  if (compared === undefined || (request.kind === 'preview' && !request.code))
    return { project: undefined, changesContainers: false, warnings: compared?.warnings ?? [] };
  for (const [name, different] of compared.fields) {
    run.log('info', `${name} would be made as it was: ${different.join(', ')}`);
  }
  if (request.kind === 'preview') requireAllowed(compared.privileges, request);
  return compared;
}

export interface CodePreview extends Pick<CodeRestore, 'project' | 'warnings'> {
  /** Whether any is made, started again or left stopped. */
  readonly changesContainers: boolean;
}

interface ComparedCode extends CodePreview {
  /** Of the containers that are to be made. */
  readonly model: EnvironmentModel;
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** Of those that are what they were: the ones whose restart policy is another or, for the state before a restore, that ran or did not. */
  readonly settled: EnvironmentModel['containers'];
  readonly surplus: readonly string[];
  /** What the containers could do to the machine then, and cannot now. */
  readonly privileges: readonly string[];
}

type CodeRequest = Extract<JobRequest, { kind: 'restore' | 'preview' }>;

async function compareCode(
  options: FetchCodeOptions,
  { run, backup, survey }: TargetRequest,
  request: CodeRequest,
): Promise<ComparedCode | undefined> {
  const part = backup.parts.find(({ source }) => source.kind === 'code');
  const { environment, docker, record } = survey;
  if (part === undefined || environment?.state !== 'active' || !isWhole(request)) return undefined;
  if (backup.environmentId !== record.id || backup.kind === 'imported') return undefined;
  const loadsImages = request.kind === 'restore' && request.code;
  const { model: described } = await fetchCode(options, { run, backup, survey, code: part, loadsImages });
  const now = await readEnvironmentModel(docker, environment, run);
  // What is made in the place of another is not new: its limits are those of one or the other.
  const isLimitedAsNow = request.resources !== 'backup';
  const wholeModel = isLimitedAsNow ? withResources(described, { from: 'parent', parent: now }) : described;
  const { wanted, fields, surplus } = compareModels(wholeModel, now);
  const model = onlyUsed(wholeModel, wanted);
  if (!request.code) {
    const nothing = {
      project: undefined,
      settled: [],
      surplus: [],
      privileges: [],
      changesContainers: false,
    };
    return { ...nothing, model, fields, warnings: otherImages(model, now) };
  }
  const same = wholeModel.containers.filter(({ name }) => !fields.has(name));
  const settled = same.filter((container) => {
    const [plan, current] = [planOf(container), now.containers.find(({ name }) => name === container.name)];
    if (current === undefined) return false;
    const { restartPolicy, wasRunning } = planOf(current);
    return (
      !isDeepStrictEqual(plan.restartPolicy, restartPolicy) ||
      (isUndo(backup) && plan.wasRunning !== wasRunning)
    );
  });
  requireSameMounts(model, now, backup.parts);
  const project = await planProject(part, survey, { signal: run.signal, model: wholeModel });
  if (typeof project === 'string') run.log('info', `The project's folder stays as it is: ${project}`);
  else noteDifferences(wholeModel, run);
  return {
    project: typeof project === 'string' ? undefined : project,
    model,
    fields,
    settled,
    surplus,
    // What a restore replaced was there a moment before it.
    privileges: isUndo(backup) ? [] : privilegesBeyond(wholeModel, { isImported: false, now }),
    changesContainers: fields.size + surplus.length + settled.length > 0,
    warnings: surplus.map((name) => `${name} is not in the backup: it stays stopped`),
  };
}

/** Which containers ran is part of the state before a restore; of any other backup, it is for those who run them now. */
function isUndo({ kind }: TargetRequest['backup']): boolean {
  return kind === 'safety';
}

/** With `--no-code`: data alone. */
const nothingToDo: CodeRestore = {
  project: undefined,
  replaced: new Set(),
  pinned: new Map(),
  warnings: [],
  replace: undefined,
  keep: async () => {},
  undo: async () => {},
};

/** Whoever gets older data into a newer app is told. */
function otherImages({ containers }: EnvironmentModel, now: EnvironmentModel): string[] {
  return containers.flatMap(({ name, image }) => {
    const current = now.containers.find((container) => container.name === name)?.image;
    if (current === undefined || current.id === image.id) return [];
    return [
      `${name} keeps the image ${named(current)}: the backup is of ${named(image)}, whose data it may not take`,
    ];
  });
}

function named({ reference, id }: { readonly reference: string; readonly id: string }): string {
  return reference === id ? id : `${reference} (${id.slice(0, 'sha256:'.length + 12)})`;
}

/** The model of some of the containers. */
function onlyUsed(model: EnvironmentModel, containers: EnvironmentModel['containers']): EnvironmentModel {
  const volumes = new Set(containers.flatMap((container) => container.volumes.map(({ name }) => name)));
  const networks = new Set(containers.flatMap(({ endpoints }) => Object.keys(endpoints)));
  return {
    ...model,
    containers,
    volumes: model.volumes.filter(({ name }) => volumes.has(name)),
    networks: model.networks.filter(({ name }) => networks.has(name)),
  };
}

/** Data goes to what the environment mounts now: what only the restored containers mount would be left without. */
function requireSameMounts(
  model: EnvironmentModel,
  now: EnvironmentModel,
  parts: readonly SealedPart[],
): void {
  const volumes = new Set(now.volumes.map(({ name }) => name));
  const paths = new Set(boundPathsOf(now));
  const mounted = new Set(model.containers.flatMap((container) => container.volumes.map(({ name }) => name)));
  const bound = new Set(boundPathsOf(model));
  const missing = parts.flatMap(({ source }) => {
    if (source.kind === 'volume')
      return mounted.has(source.name) && !volumes.has(source.name) ? [source.name] : [];
    if (source.kind === 'bind') return bound.has(source.path) && !paths.has(source.path) ? [source.path] : [];
    return [];
  });
  if (missing.length === 0) return;
  throw new HoldfastError(
    'code-refused',
    `The environment no longer mounts what it did when the backup was made: ${missing.join(', ')}.`,
    {
      hint: 'Take its containers down (docker compose down, without --volumes), and restore again: all of it is made again then. Or restore the data alone: --no-code.',
      context: { missing },
    },
  );
}

interface Made {
  /** By name. */
  readonly ids: ReadonlyMap<string, Container['id']>;
  readonly plans: ReadonlyMap<string, ReturnType<typeof planOf>>;
  readonly surplus: readonly string[];
}

/** Each container as it is to be right after what it was: both are stopped and started in the same order. */
function withMade(journal: RestoreJournal, { ids, plans, surplus }: Made): RestoreJournal {
  const entryOf = (name: string) => {
    const [id, plan] = [ids.get(name), plans.get(name)];
    return id === undefined || plan === undefined ? [] : [{ id, name, ...plan, belongsTo: 'new' as const }];
  };
  const known = new Set(journal.containers.map(({ name }) => name));
  const added = [...ids.keys()].filter((name) => !known.has(name)).flatMap(entryOf);
  const others = journal.containers.flatMap((container) => {
    const isOld = ids.has(container.name) || surplus.includes(container.name);
    return [
      { ...container, belongsTo: isOld ? ('old' as const) : ('both' as const) },
      ...entryOf(container.name),
    ];
  });
  return { ...journal, containers: [...added, ...others] };
}
