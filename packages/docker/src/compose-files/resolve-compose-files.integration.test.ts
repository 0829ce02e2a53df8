import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleContainer, sampleModel } from '../testing/sample-model.ts';
import {
  type ComposeFiles,
  composeFilesOf,
  findCompose,
  resolveComposeFiles,
} from './resolve-compose-files.ts';

const program = process.env.HOLDFAST_COMPOSE ?? '';

async function openProject(text: string) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'holdfast-compose-'));
  const path = (name: string): string => join(directory.path, name);
  writeFileSync(path('compose.yaml'), text);
  const files: ComposeFiles = {
    project: 'shop',
    folder: directory.path,
    files: [path('compose.yaml')],
    environmentFiles: [],
  };
  return { files, path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

describe('what Compose makes of its files', () => {
  beforeEach(() => {
    process.env.ONLY_IN_THE_SHELL = 'secret';
    return () => {
      delete process.env.ONLY_IN_THE_SHELL;
    };
  });

  test('is without variables of this process, and with those of its own files', async () => {
    await using project = await openProject(
      'services: { web: { image: "x:$TAG", environment: { A: "$ONLY_IN_THE_SHELL" }, profiles: [some] } }',
    );
    const { path } = project;
    writeFileSync(path('settings'), 'TAG=7\n');
    const files = { ...project.files, environmentFiles: [path('settings')] };
    expect(await resolveComposeFiles(program, files)).toMatchObject({
      name: 'shop',
      services: { web: { image: 'x:7', environment: { A: '' } } },
    });
  });

  test('is a reason where they are none, ask for another machine, or the program is another', async () => {
    await using project = await openProject('include: ["https://127.0.0.1:9/x.git#main:y"]');
    expect(await resolveComposeFiles(program, project.files)).toBe('docker compose config fails');
    await using broken = await openProject('services: [');
    expect(await resolveComposeFiles(program, broken.files)).toBe('docker compose config fails');
    expect(await resolveComposeFiles('/bin/echo', broken.files)).toMatch(/no JSON/);
    expect(await resolveComposeFiles('/nowhere', broken.files)).toMatch(/fails/);
  });

  test('is not waited for when the work has to stop', async () => {
    await using project = await openProject('services: { web: { image: x, env_file: ./endless } }');
    execFileSync('mkfifo', [project.path('endless')]);
    const abort = new AbortController();
    const resolving = resolveComposeFiles(program, project.files, abort);
    await sleep(100);
    abort.abort();
    await expect(resolving).rejects.toMatchObject({ code: 'interrupted' });
  });
});

test('the files are those of the labels, from the folder on', () => {
  const labels = {
    'com.docker.compose.project.config_files': '/srv/shop/compose.yaml,more.yaml',
    'com.docker.compose.project.environment_file': '/srv/shop/.env.live',
  };
  const containers = [sampleContainer({ config: { Labels: labels } }), sampleContainer({ name: 'other' })];
  expect(composeFilesOf(sampleModel({ containers }))).toEqual({
    project: 'shop',
    folder: '/srv/shop',
    files: ['/srv/shop/compose.yaml', '/srv/shop/more.yaml'],
    environmentFiles: ['/srv/shop/.env.live'],
  });
  expect(composeFilesOf(sampleModel())).toBeUndefined();
});

test('Compose is found as a plugin of the docker command, or in PATH', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'holdfast-compose-'));
  const [plugins, programs] = [join(directory.path, 'cli-plugins'), join(directory.path, 'bin')];
  for (const folder of [plugins, programs]) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'docker-compose'), '#!/bin/sh\n', { mode: 0o755 });
  }
  expect(await findCompose({ DOCKER_CONFIG: directory.path })).toBe(join(plugins, 'docker-compose'));
  const inPath = await findCompose({ DOCKER_CONFIG: '/nowhere', PATH: `relative:${programs}` });
  expect(inPath).toMatch(/docker-compose$/);
});
