/**
 * Stands for a server in tests that kill it: arms a guard, pauses containers, and stays until it is killed. Arguments:
 * host, limit in milliseconds, ids of containers. Prints one JSON line for the guard and one once all are frozen.
 */
import { connectDocker } from '../engine-port/connect-docker.ts';
import { freezeContainers } from '../freeze/freeze-containers.ts';
import { selectFreezeTargets } from '../freeze/freeze-target.ts';
import { startGuard } from '../freeze/start-guard.ts';

const [host = '', limitMs = '', ...ids] = process.argv.slice(2);
const { containers } = await connectDocker({ host });
const targets = await selectFreezeTargets(containers, ids);
const guard = await startGuard({ host, containers: targets, deadlineMs: Date.now() + Number(limitMs) });
process.stdout.write(`${JSON.stringify({ guardPid: guard.pid, startTicks: guard.startTicks })}\n`);
await freezeContainers(containers, targets);
process.stdout.write(`${JSON.stringify({ frozen: true })}\n`);
setInterval(() => {}, 1000);
