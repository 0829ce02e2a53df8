import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Backup } from '@holdfast/protocol';
import { findOrStartEngine } from './engine.ts';
import { Guestbook } from './guestbook.ts';
import { alterOneRow, amounts, differences, fill, fingerprint, wreck } from './guestbook-data.ts';
import { HoldfastCommand } from './holdfast-command.ts';
import type { DemoOptions } from './options.ts';
import { type DemoServer, findOrStartServer } from './server.ts';
import { startServerContainer } from './server-container.ts';
import type { Story } from './story.ts';

/** What `--json` prints. */
export interface DemoResult {
  readonly backup_id: string;
  readonly parts: readonly {
    readonly component: string;
    readonly name: string;
    readonly files: number;
    readonly bytes: number;
  }[];
  readonly stored_bytes: number;
  readonly backup_seconds: number;
  readonly restore_seconds: number;
  readonly verified: boolean;
  readonly repository: string;
  readonly password_file: string;
}

/** The five steps. With `--once`, what they started is ended in any case: success, failure, interruption. */
export async function runDemo(options: DemoOptions, story: Story, signal: AbortSignal): Promise<DemoResult> {
  await using started = new AsyncDisposableStack();
  const program = path.join(options.root, 'bin/holdfast');
  const endLater = (end: () => Promise<void>): void => {
    if (options.once) started.defer(end);
  };

  // The engine comes before the server, which has to know where it is.
  const engine = await findOrStartEngine(options, signal);
  endLater(() => engine.end());
  const env = { ...options.env, ...engine.env, HOLDFAST_DATA: options.dataDirectory };

  story.step('A Holdfast server');
  const { root, dataDirectory } = options;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const server = options.container
    ? await startServerContainer({ root, dataDirectory, env, signal })
    : await findOrStartServer({ program, dataDirectory, env, signal });
  endLater(() => server.end());
  story.note(
    `${server.wasRunning ? 'runs already' : 'listens'} at ${server.url}, its data is in ${server.dataDirectory}`,
  );

  story.step('A Docker Engine');
  story.note(engine.description);

  story.step('An app: examples/guestbook (web, PostgreSQL, Redis)');
  const images = await Guestbook.imageVariables({ root: options.root, env, signal });
  const guestbook = await Guestbook.start({ root: options.root, env: { ...env, ...images }, signal });
  endLater(() => guestbook.end());
  story.note(`answers at ${guestbook.url}`);

  story.step('Back it up, wreck it, get it back');
  const holdfast = new HoldfastCommand({ command: server.command, env, signal });
  const run = await backUpAndRestore({ guestbook, holdfast, server, breaks: options.breaks, story, signal });

  story.step('What happened');
  for (const line of summary(run)) story.note(line);
  if (!options.once) story.note(whatRuns(options, server, engine.env.DOCKER_HOST));
  return run;
}

interface Parts {
  readonly guestbook: Guestbook;
  readonly holdfast: HoldfastCommand;
  readonly server: DemoServer;
  readonly breaks: boolean;
  readonly story: Story;
  readonly signal: AbortSignal;
}

async function backUpAndRestore({
  guestbook,
  holdfast,
  server,
  breaks,
  story,
  signal,
}: Parts): Promise<DemoResult> {
  await fill(guestbook, signal);
  const before = await fingerprint(guestbook, signal);
  story.note(
    `filled with ${amounts.entries} rows, ${amounts.uploads} uploads and ${amounts.keys} Redis keys`,
  );

  story.note(`$ holdfast backup:create ${guestbook.name} --no-code --description 'before the wreck'`);
  const [id, backupSeconds] = await timed(() => holdfast.createBackup(guestbook.name, 'before the wreck'));
  story.note(`$ holdfast backup:list ${guestbook.name}\n${await holdfast.listBackups(guestbook.name)}`);
  const backup = await holdfast.getBackup(id);

  await wreck(guestbook);
  const wrecked = differences(before, await fingerprint(guestbook, signal));
  story.note(`wrecked: ${wrecked.length} of ${before.size} answers are not what they were`);

  story.note(`$ holdfast backup:restore ${id} --yes`);
  const [, restoreSeconds] = await timed(() => holdfast.restoreBackup(id));
  await guestbook.waitUntilHealthy();
  if (breaks) {
    await alterOneRow(guestbook, signal);
    story.note('altered one row, as --break asks');
  }

  const different = differences(before, await fingerprint(guestbook, signal));
  story.note(
    different.length === 0
      ? `compared ${before.size} answers by SHA-256: all are what they were`
      : `compared ${before.size} answers by SHA-256: ${different.length} differ: ${different.slice(0, 5).join(' ')}`,
  );
  const measured = { backupSeconds, restoreSeconds, verified: different.length === 0 };
  return resultOf(backup, server, measured);
}

interface Measured {
  readonly backupSeconds: number;
  readonly restoreSeconds: number;
  readonly verified: boolean;
}

function resultOf(
  backup: Backup,
  server: DemoServer,
  { backupSeconds, restoreSeconds, verified }: Measured,
): DemoResult {
  const onMachine = (place: string) => place.replace(server.reportedDataDirectory, server.dataDirectory);
  return {
    backup_id: backup.id,
    parts: backup.parts.map(({ name, files, bytes, mountPoints }) => ({
      component: mountPoints[0]?.component ?? '',
      name,
      files,
      bytes,
    })),
    stored_bytes: backup.storedBytes ?? 0,
    backup_seconds: backupSeconds,
    restore_seconds: restoreSeconds,
    verified,
    repository: onMachine(backup.repository),
    password_file: onMachine(backup.passwordFile),
  };
}

function summary(result: DemoResult): string[] {
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    `backup ${result.backup_id}: ${result.backup_seconds} s, ${mebibytes(result.stored_bytes)} new in the vault`,
    ...result.parts.map(
      (part) => `  ${part.component}: ${part.name}, ${part.files} files, ${mebibytes(part.bytes)}`,
    ),
    `restore: ${result.restore_seconds} s`,
    `verified: ${result.verified}`,
    'Stock restic opens the same repository:',
    `  restic -r ${result.repository} --password-file ${result.password_file} snapshots`,
  ];
}

function whatRuns(
  { dataDirectory, container }: DemoOptions,
  { url, command }: DemoServer,
  dockerHost: string | undefined,
): string {
  const needed = [
    ...(container ? [] : [`HOLDFAST_DATA=${dataDirectory}`]),
    ...(dockerHost === undefined ? [] : [`DOCKER_HOST=${dockerHost}`]),
  ];
  const lines = [
    `The server goes on at ${url}. Try, in this checkout:`,
    ...(needed.length === 0 ? [] : [`  export ${needed.join(' ')}`]),
    `  ${[command.program, ...command.args].join(' ')} backup:list --all`,
    '`script/demo --once` ends what it starts.',
  ];
  return lines.join('\n');
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const value = await work();
  return [value, Math.round((performance.now() - start) / 10) / 100];
}
