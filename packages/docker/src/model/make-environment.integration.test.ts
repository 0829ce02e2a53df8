import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { fieldsOf } from '../engine-port/fields.ts';
import { openTestProject, type TestProject } from '../testing/compose-project.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import type { EnvironmentModel } from './environment-model.ts';
import { makeEnvironment } from './make-environment.ts';
import { readEnvironmentModel } from './read-model.ts';
import { settleReplaced } from './replaced-containers.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

/** Everything that a model has to carry over, in one project. */
const shop = (image: string, tag: string) => `
services:
  web:
    image: ${image}
    command: [sleep, '1000']
    restart: unless-stopped
    stop_signal: SIGKILL
    environment: { FROM_SHELL: "\${FROM_SHELL}" }
    ports: ["127.0.0.1::80", "81/udp"]
    volumes:
      - data:/data
      - outside:/outside
      - /unnamed
      - { type: volume, target: /unnamed-too }
      - ./conf:/conf:ro
    networks: { default: { aliases: [www] }, back: {} }
    cap_add: [NET_ADMIN]
    ulimits: { nofile: 1000 }
    healthcheck: { test: [CMD, "true"], interval: 1s }
  plain:
    image: ${image}
    command: [sleep, '1000']
    stop_signal: SIGKILL
    depends_on: { web: { condition: service_healthy } }
    mem_limit: 64m
  helper:
    image: ${image}
    container_name: ${tag}-helper
    hostname: helper.example
    command: [sleep, '1000']
    stop_signal: SIGKILL
    pid: service:web
    volumes_from: [web]
    networks: [back]
  sidecar:
    image: ${image}
    command: [sleep, '1000']
    stop_signal: SIGKILL
    network_mode: service:web
volumes:
  data: { labels: { for: goods } }
  outside: { external: true, name: ${tag}-outside }
networks:
  back: { internal: true }
`;

async function openShop(): Promise<TestProject> {
  await engine.createVolume('outside').catch(() => {});
  const project = await openTestProject({
    name: `${engine.tag}-shop`,
    file: shop(engine.image, engine.tag),
    folders: ['conf'],
    variables: { FROM_SHELL: 'known to nobody else' },
  });
  onTestFinished(() => project[Symbol.asyncDispose]());
  await project.compose('up', '--detach');
  return project;
}

async function modelOf(project: TestProject): Promise<EnvironmentModel> {
  return readEnvironmentModel(engine.docker, await project.environment(engine.docker));
}

async function idsOf(project: TestProject): Promise<Record<string, string>> {
  const { components } = await project.environment(engine.docker);
  return Object.fromEntries(
    components.flatMap(({ instances }) => instances.map(({ name, containerId }) => [name, containerId])),
  );
}

/** Runs a line of shell in a container and answers what it prints. */
async function sh(container: string, line: string): Promise<string> {
  const command = ['sh', '-c', line];
  await using session = await engine.docker.containers.exec(container, { command, timeoutMs: 60_000 });
  session.stderr.resume();
  return await text(session.stdout);
}

/** Sources of unnamed volumes stand in it once they are known. */
function comparable(model: EnvironmentModel) {
  return model.containers.map((container) => ({
    ...container,
    hostConfig: {
      ...container.hostConfig,
      Mounts: fieldsOf(container.hostConfig)
        .objects('Mounts')
        .map((mount) => mount.text('Target'))
        .sort(),
    },
  }));
}

test('an environment that was taken down is made from its model, and Compose finds nothing to do', async () => {
  const project = await openShop();
  const before = await modelOf(project);
  expect(before).toMatchObject({ project: project.name, folder: project.folder });
  expect(before.containers.map(({ component }) => component).sort()).toEqual([
    'helper',
    'plain',
    'sidecar',
    'web',
  ]);
  const web = before.containers.find(({ component }) => component === 'web');
  expect(web?.config).toMatchObject({ Env: expect.arrayContaining(['FROM_SHELL=known to nobody else']) });
  expect(web?.config).not.toHaveProperty('Hostname');
  expect(before.volumes.find(({ name }) => name.endsWith('_data'))).toMatchObject({ isExternal: false });
  expect(before.volumes.find(({ name }) => name.endsWith('-outside'))).toMatchObject({ isExternal: true });
  expect(before.volumes.filter(({ isAnonymous }) => isAnonymous).length).toBe(2);
  expect(before.networks.map(({ name, internal }) => [name, internal])).toEqual([
    [`${project.name}_back`, true],
    [`${project.name}_default`, false],
  ]);

  const written = `echo kept > /data/a; echo kept > /unnamed/a`;
  await sh(`${project.name}-web-1`, written);
  await project.compose('down', '--timeout', '0');
  const made = await makeEnvironment(engine.docker, before, { mark: 'one' });
  expect([...made.containerIds.keys()].sort()).toEqual(before.containers.map(({ name }) => name));
  for (const id of made.containerIds.values()) {
    expect(await engine.docker.containers.inspect(id)).toMatchObject({ state: { status: 'created' } });
  }
  for (const id of made.containerIds.values()) await engine.docker.containers.start(id);
  await made.finish();

  const after = await modelOf(project);
  expect(comparable(after)).toEqual(comparable(before));
  expect({ ...after, containers: [] }).toEqual({ ...before, containers: [] });
  expect(await sh(`${engine.tag}-helper`, 'cat /data/a /unnamed/a')).toBe('kept\nkept\n');

  // What Compose remembers of services that share another's namespaces has that one's id in it: no other container will do.
  const ids = await idsOf(project);
  expect(await project.compose('up', '--detach', '--no-deps', 'web', 'plain')).not.toMatch(/reat/);
  expect(await idsOf(project)).toEqual(ids);
});

test('containers of the same names are replaced, or come back', async () => {
  const project = await openShop();
  const model = await modelOf(project);
  const old = await idsOf(project);
  await sh(`${project.name}-web-1`, 'echo kept > /unnamed/a');
  await expect(makeEnvironment(engine.docker, model, { mark: 'busy' })).rejects.toMatchObject({
    code: 'environment-busy',
  });

  await project.compose('stop', '--timeout', '0');
  const undone = await makeEnvironment(engine.docker, model, { mark: 'undone' });
  expect(Object.values(await idsOf(project)).sort()).toEqual([...undone.containerIds.values()].sort());
  await undone.undo();
  expect(await idsOf(project)).toEqual(old);

  // Cut off: neither `undo` nor `finish` is ever called.
  await makeEnvironment(engine.docker, model, { mark: 'cut-off' });
  await settleReplaced(engine.docker, { mark: 'other', direction: 'back' });
  expect(await idsOf(project)).not.toEqual(old);
  await settleReplaced(engine.docker, { mark: 'cut-off', direction: 'back' });
  await settleReplaced(engine.docker, { mark: 'cut-off', direction: 'back' });
  expect(await idsOf(project)).toEqual(old);

  const made = await makeEnvironment(engine.docker, model, { mark: 'forward', isHeldBack: true });
  await settleReplaced(engine.docker, { mark: 'forward', direction: 'forward' });
  const now = await idsOf(project);
  expect(now).toEqual(Object.fromEntries(made.containerIds));
  const web = await engine.docker.containers.inspect(`${project.name}-web-1`);
  expect(web.restartPolicy.name).toBe('no');
  await engine.docker.containers.start(web.id);
  expect(await sh(web.id, 'cat /unnamed/a')).toBe('kept\n');
  for (const id of Object.values(old)) {
    await expect(engine.docker.containers.inspect(id)).rejects.toMatchObject({ code: 'container-unknown' });
  }
});

test('what fails half way leaves everything as it was', async () => {
  const project = await openShop();
  const model = await modelOf(project);
  const old = await idsOf(project);
  await project.compose('stop', '--timeout', '0');
  const spoilt = {
    ...model,
    volumes: [
      ...model.volumes,
      {
        name: `${engine.tag}-more`,
        driver: 'local',
        labels: {},
        options: {},
        isExternal: false,
        isAnonymous: false,
      },
    ],
    containers: model.containers.map((container, index) =>
      index < 2 ? container : { ...container, hostConfig: { ...container.hostConfig, ShmSize: -1 } },
    ),
  };
  await expect(makeEnvironment(engine.docker, spoilt, { mark: 'fails' })).rejects.toMatchObject({
    code: 'docker-refused',
  });
  expect(await idsOf(project)).toEqual(old);
  await expect(engine.docker.volumes.inspect(`${engine.tag}-more`)).rejects.toMatchObject({
    code: 'volume-unknown',
  });
});

test('what is not the environment’s own is missed by name, and made only when asked', async () => {
  const project = await openShop();
  const model = await modelOf(project);
  await project.compose('down', '--volumes', '--timeout', '0');
  const outside = `${engine.tag}-outside`;
  await engine.docker.volumes.remove(outside);
  await expect(makeEnvironment(engine.docker, model, { mark: 'no' })).rejects.toMatchObject({
    code: 'volume-unknown',
    message: expect.stringContaining(outside),
  });
  const volumes = await engine.docker.volumes.list();
  expect(volumes.filter(({ name }) => name.startsWith(`${project.name}_`))).toEqual([]);
  const made = await makeEnvironment(engine.docker, model, { mark: 'yes', createExternal: true });
  expect(made.madeVolumes).toContain(outside);
  await made.undo();
  await expect(engine.docker.volumes.inspect(outside)).rejects.toMatchObject({ code: 'volume-unknown' });
});

test('an image that is not there any more is named', async () => {
  const project = await openShop();
  const model = await modelOf(project);
  const lost = {
    ...model,
    containers: model.containers.map((container) => ({
      ...container,
      image: { ...container.image, id: `sha256:${'0'.repeat(64)}` },
    })),
  };
  await project.compose('stop', '--timeout', '0');
  await expect(makeEnvironment(engine.docker, lost, { mark: 'lost' })).rejects.toMatchObject({
    code: 'image-unknown',
    message: expect.stringContaining(engine.image),
  });
});
