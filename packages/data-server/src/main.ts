import type { Socket } from 'node:net';
import { dataRequestSchema } from '@holdfast/protocol';
import { answer } from './answer.ts';

/**
 * `holdfast data`: reads repositories for the server, and writes what they hold straight to the connections that the
 * server hands over. Started by the server, with a channel; ends when that does and all is answered.
 */

let underWay = 0;
let isOrphaned = false;

function endIfDone(): void {
  if (isOrphaned && underWay === 0) process.exit(0);
}

process.on('message', (message, connection) => {
  // The client may have gone on the way here.
  if (connection === undefined) return;
  const socket = connection as Socket;
  underWay += 1;
  answer(dataRequestSchema.parse(message), socket)
    .catch(() => {
      socket.destroy();
    })
    .finally(() => {
      underWay -= 1;
      endIfDone();
    });
});
process.on('disconnect', () => {
  isOrphaned = true;
  endIfDone();
});
// An interrupt from the keyboard reaches the whole group: the server says when it is over.
process.on('SIGINT', () => {});
if (!process.connected) {
  process.stderr.write('error[usage-invalid]: This program is started by the server.\n');
  process.exitCode = 2;
}
