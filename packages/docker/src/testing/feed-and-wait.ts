/** A process that feeds half of its input to a command, says so, and waits to be killed. */
import { startCommand } from '../command/run-command.ts';
import { connectDocker } from '../engine-port/connect-docker.ts';

const [host = '', container = '', command = ''] = process.argv.slice(2);
const docker = await connectDocker({ host });
const running = await startCommand(docker.containers, container, command, {
  timeoutMs: 600_000,
  guardsInput: true,
});
running.stdin.write('half of it');
process.send?.('fed');
await running.ended;
