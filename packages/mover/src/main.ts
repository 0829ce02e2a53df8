import { finished } from 'node:stream/promises';
import { ownProcessIdentity, sleep, systemClock } from '@holdfast/base';
import { runMover } from './run-mover.ts';
import { ServerChannel } from './server-channel.ts';

/** How long the last events may take to reach a server that does not read: it has them in the event file too. */
const drainTimeoutMs = 2000;

const channel = new ServerChannel(process.stdin);
// Stock `restic unlock` sends it to the process that a lock names, to see whether it lives.
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => channel.cancel());
process.on('SIGINT', () => channel.cancel());
// A server that went away must not end a mover that has to finish alone.
process.stdout.on('error', () => {});

const status = await runMover({
  channel,
  output: process.stdout,
  identity: ownProcessIdentity(),
  clock: systemClock,
});
process.stdout.end();
await Promise.race([finished(process.stdout).catch(() => {}), sleep(drainTimeoutMs)]);
process.exit(status);
