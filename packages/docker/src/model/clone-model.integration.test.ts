import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { discoverEnvironments } from '../discovery/discover-environments.ts';
import { readInventory } from '../discovery/read-inventory.ts';
import { openTestProject } from '../testing/compose-project.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { cloneModel } from './clone-model.ts';
import { publishedPortsOf } from './clone-ports.ts';
import { makeEnvironment } from './make-environment.ts';
import { readEnvironmentModel } from './read-model.ts';
import { sharedWith } from './shared-storage.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

test('a clone runs beside its original, as an environment of its own', async () => {
  const { docker, image, tag } = engine;
  const outside = await engine.createVolume('outside');
  const file = `
services:
  web:
    image: ${image}
    command: [sleep, '1000']
    stop_signal: SIGKILL
    ports: ["127.0.0.1:38911:80"]
    volumes: [data:/data, outside:/outside, /unnamed, ./conf:/conf]
    networks: { default: { ipv4_address: 10.233.7.9 } }
  sidecar:
    image: ${image}
    container_name: ${tag}-sidecar
    command: [sleep, '1000']
    stop_signal: SIGKILL
    network_mode: service:web
    volumes_from: [web]
volumes: { data: {}, outside: { external: true, name: ${outside} } }
networks: { default: { ipam: { config: [{ subnet: 10.233.7.0/24 }] } } }
`;
  await using project = await openTestProject({ name: `${tag}-original`, file, folders: ['conf'] });
  await project.compose('up', '--detach');
  const model = await readEnvironmentModel(docker, await project.environment(docker));
  const name = `${tag}-clone`;
  const folder = join(engine.folder, 'clone');
  const cloned = cloneModel(model, { name, folder, portsTaken: publishedPortsOf(model) });
  const inventory = await readInventory(docker);
  expect(sharedWith(cloned.model, inventory)).toEqual([]);
  const another = model.containers.map((container) => ({ ...container, name: `other-${container.name}` }));
  const shared = sharedWith({ ...model, containers: another }, inventory);
  expect(shared.map(({ source }) => source)).toEqual(
    expect.arrayContaining([outside, join(project.folder, 'conf')]),
  );

  for (const { to } of cloned.binds) await mkdir(to, { recursive: true });
  const made = await makeEnvironment(docker, cloned.model, { mark: 'clone' });
  try {
    for (const id of made.containerIds.values()) await docker.containers.start(id);
    await made.finish();
    const environments = discoverEnvironments(await readInventory(docker));
    const clone = environments.find((environment) => environment.name === name);
    expect(clone).toMatchObject({ composeProject: name, folder, folders: [folder] });
    expect(clone?.components.map((component) => component.name)).toEqual(['sidecar', 'web']);
    expect(clone?.mounts.filter(({ otherUsers }) => otherUsers.length > 0)).toEqual([]);
    const running = (await project.environment(docker)).components.flatMap(({ instances }) => instances);
    expect(running.map(({ status }) => status)).toEqual(['running', 'running']);
    const web = await docker.containers.inspect(`${name}-web-1`);
    expect(web).toMatchObject({ state: { status: 'running' }, publishedPorts: [38_912] });
    const again = await readEnvironmentModel(docker, clone as NonNullable<typeof clone>);
    expect(again.volumes.map((volume) => volume.name)).toEqual(cloned.volumes.map(({ to }) => to).sort());
    expect(again.networks.every(({ isExternal }) => !isExternal)).toBe(true);
  } finally {
    await made.undo();
  }
  expect((await docker.volumes.list()).some((volume) => volume.name.startsWith(name))).toBe(false);
  expect((await docker.networks.list()).some((network) => network.name.startsWith(name))).toBe(false);
});
