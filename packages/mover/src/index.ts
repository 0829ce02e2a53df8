export { programVersion } from './program-version.ts';
export { type MoverOptions, runMover } from './run-mover.ts';
export { ServerChannel } from './server-channel.ts';
