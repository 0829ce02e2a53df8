import { systemCalls } from './system-calls.ts';

const ofOneThread = 1;
/** `IOPRIO_CLASS_BE`, in the place of its class, and the last of its levels: after everybody else, but never starved. */
const afterAllOthers = (2 << 13) | 7;
/** By the niceness, which is what counts where nothing was set. */
const notSet = 0;

/**
 * How a thread stands in line for storage. Says whether the system let it: some sandboxes do not. What storage itself makes of it
 * is up to its scheduler (BFQ and mq-deadline look at it, `none` does not).
 */
export function setStoragePriority(thread: number, priority: 'normal' | 'background'): boolean {
  return systemCalls().ioprioSet(ofOneThread, thread, priority === 'normal' ? notSet : afterAllOthers) === 0;
}
