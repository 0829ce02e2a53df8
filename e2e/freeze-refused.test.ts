import { exitStatus } from '@holdfast/base';
import { expect, it } from 'vitest';
import { ComposeProject, docker } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { eventually, type Finished } from './support/process.ts';

/** Holdfast would wait for what it has paused itself: such a backup is refused before anything is paused or read. */
async function expectRefused(
  server: Pick<Holdfast | HoldfastContainer, 'run' | 'createBackup' | 'getBackup'>,
  environment: string,
  reason: RegExp,
): Promise<void> {
  const refused: Finished = await server.run(['backup:create', environment]);
  expect(refused.stderr).toMatch(/error\[freeze-refused\]/);
  expect(refused.stderr).toMatch(reason);
  expect(refused.status).toBe(exitStatus.notPossible);
  const fallenBack = await server.getBackup(
    await server.createBackup(environment, '--fallback', 'live', '--no-code'),
  );
  expect(fallenBack).toMatchObject({ status: 'ready', mode: 'live' });
  const live = await server.getBackup(await server.createBackup(environment, '--live', '--no-code'));
  expect(live).toMatchObject({ status: 'ready', mode: 'live' });
}

it('refuses to pause the Compose project that Holdfast itself runs in', async () => {
  await using holdfast = await HoldfastContainer.start({
    beside:
      '  app: { image: holdfast-test/busybox, command: [sleep, infinity], init: true, volumes: [/files] }',
  });
  await expectRefused(holdfast, holdfast.project, /Holdfast itself runs/);
});

it('refuses to pause the server that has its catalog', async () => {
  await using project = await ComposeProject.up('catalog', 'catalog');
  await eventually('PostgreSQL answers', async () => {
    const { status } = await project.tryCompose('exec', '-T', 'db', 'pg_isready', '-q', '-h', '127.0.0.1');
    return status === 0;
  });
  const address = await docker(
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    `${project.name}-db-1`,
  );
  const catalogUrl = `postgres://holdfast:secret@${address.trim()}:5432/holdfast`;
  await using holdfast = await Holdfast.start({ HOLDFAST_CATALOG_URL: catalogUrl });
  await expectRefused(holdfast, project.name, /catalog is served/);
});
