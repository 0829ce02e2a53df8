import type { Abortable } from '@holdfast/base';
import type Dockerode from 'dockerode';
import { openAttachment } from './attachment.ts';
import { readContainerFile, statContainerPath } from './container-file.ts';
import { toCreateOptions } from './create-options.ts';
import { dial, post } from './dial.ts';
import type { ContainerCalls } from './docker-engine.ts';
import { engineStatus } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';
import { openExecSession } from './exec-session.ts';
import { fieldsOf } from './fields.ts';
import { streamChanges } from './filesystem-changes.ts';
import { isJsonObject, type JsonObject } from './json-object.ts';
import { toContainer, toStatus, withoutSlash } from './to-container.ts';

const quickTimeoutMs = 30_000;
/** Creating may have to copy an image's content into a volume; removing may have to delete many files. */
const slowTimeoutMs = 120_000;
/** As long as a timer can be. */
const endlessMs = 2 ** 31 - 1;

type ContainerWork<Result> = (container: Dockerode.Container, abortSignal: AbortSignal) => Promise<Result>;

export function containerCalls(link: EngineLink): ContainerCalls {
  const { dockerode, call } = link;
  const on = <Result>(
    verb: string,
    name: string,
    { signal, timeoutMs = quickTimeoutMs }: Abortable & { readonly timeoutMs?: number },
    work: ContainerWork<Result>,
  ): Promise<Result> =>
    call(
      { action: `${verb} container ${name}`, subject: { kind: 'container', name }, timeoutMs, signal },
      (abortSignal) => work(dockerode.getContainer(encodeURIComponent(name)), abortSignal),
    );

  return {
    list: ({ signal, labels = [] } = {}) =>
      call({ action: 'list containers', timeoutMs: quickTimeoutMs, signal }, async (abortSignal) => {
        const containers = await dockerode.listContainers({
          all: true,
          filters: { label: [...labels] },
          abortSignal,
        });
        return containers.map((container) => ({
          id: container.Id,
          name: withoutSlash(container.Names?.[0] ?? ''),
          labels: container.Labels ?? {},
          status: toStatus(container.State),
        }));
      }),
    inspect: (name, options = {}) =>
      on('inspect', name, options, async (container, abortSignal) =>
        toContainer(await container.inspect({ abortSignal })),
      ),
    create: (spec, { signal } = {}) =>
      call(
        { action: `create a container from ${spec.image}`, timeoutMs: slowTimeoutMs, signal },
        async (abortSignal) => {
          const created = await dockerode.createContainer({ ...toCreateOptions(spec), abortSignal });
          return created.id;
        },
      ),
    describe: (name, options = {}) =>
      on('inspect', name, options, async (_, abortSignal) =>
        jsonObject(await dial(dockerode, `/containers/${encodeURIComponent(name)}/json`, { abortSignal })),
      ),
    createAsDescribed: (name, body, { signal } = {}) =>
      call({ action: `create container ${name}`, timeoutMs: slowTimeoutMs, signal }, async (abortSignal) => {
        const answer = await post(dockerode, '/containers/create', { query: { name }, body, abortSignal });
        return fieldsOf(answer).text('Id');
      }),
    rename: (name, newName, options = {}) =>
      on('rename', name, options, async (container, abortSignal) => {
        await container.rename({ name: newName, abortSignal });
      }),
    remove: (name, { keepsAnonymousVolumes = false, ...options } = {}) =>
      on('remove', name, { ...options, timeoutMs: slowTimeoutMs }, async (container, abortSignal) => {
        await container.remove({ force: true, v: !keepsAnonymousVolumes, abortSignal });
      }),
    start: (name, options = {}) =>
      on('start', name, { ...options, timeoutMs: slowTimeoutMs }, (container, abortSignal) =>
        unlessSoAlready(() => container.start({ abortSignal })),
      ),
    stop: (name, { graceSeconds, signal }) =>
      on(
        'stop',
        name,
        { signal, timeoutMs: graceSeconds * 1000 + quickTimeoutMs },
        (container, abortSignal) => unlessSoAlready(() => container.stop({ t: graceSeconds, abortSignal })),
      ),
    pause: (name, options = {}) =>
      on('pause', name, options, async (container, abortSignal) => {
        await container.pause({ abortSignal });
      }),
    unpause: (name, options = {}) =>
      on('unpause', name, options, async (container, abortSignal) => {
        await container.unpause({ abortSignal });
      }),
    setRestartPolicy: (name, policy, options = {}) =>
      on('change the restart policy of', name, options, async (container, abortSignal) => {
        await container.update({
          RestartPolicy: { Name: policy.name, MaximumRetryCount: policy.maximumRetryCount },
          abortSignal,
        });
      }),
    readFile: (name, path, { maxBytes = 2 ** 20, ...options } = {}) =>
      on('read a file of', name, options, (container, abortSignal) =>
        readContainerFile(container, { path, maxBytes, signal: abortSignal }),
      ),
    stat: (name, path, options = {}) =>
      on('look into', name, options, (container, abortSignal) =>
        statContainerPath(container, path, abortSignal),
      ),
    changes: (name, options = {}) => streamChanges(link, name, options),
    exec: (name, options) => openExecSession(link, name, options),
    attach: (name, options = {}) => openAttachment(link, name, options),
    waitUntilRemoved: (name, options = {}) =>
      on('wait for', name, { ...options, timeoutMs: endlessMs }, async (container, abortSignal) => {
        const answer: unknown = await container.wait({ condition: 'removed', abortSignal });
        return fieldsOf(answer).number('StatusCode');
      }),
  };
}

function jsonObject(answer: unknown): JsonObject {
  return isJsonObject(answer) ? answer : {};
}

/** The engine answers 304 when a container already is what was asked for. */
async function unlessSoAlready(request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (engineStatus(error) !== 304) throw error;
  }
}
