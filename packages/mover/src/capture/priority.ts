import { readdirSync } from 'node:fs';
import { setPriority as setNice } from 'node:os';
import { systemErrorCode } from '@holdfast/base';
import { setStoragePriority } from '@holdfast/engine';

/** `background`: the app that is backed up comes first, for processor and storage. */
export type Priority = 'normal' | 'background';

const niceOf: Readonly<Record<Priority, number>> = { normal: 0, background: 15 };

/**
 * Of all threads of this process, and those that they start. Where the system does not let a process raise it again, the processor's
 * stays low.
 */
export function setPriority(priority: Priority): void {
  for (const thread of readdirSync('/proc/self/task')) {
    setStoragePriority(Number(thread), priority);
    try {
      setNice(Number(thread), niceOf[priority]);
    } catch (error) {
      // It ended, or may not be raised.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}
