import { readdirSync } from 'node:fs';
import { setPriority as setNice } from 'node:os';
import { systemErrorCode } from '@holdfast/base';

/** `background`: the app that is backed up comes first, for processor and, by the kernel's default, for storage. */
export type Priority = 'normal' | 'background';

const niceOf: Readonly<Record<Priority, number>> = { normal: 0, background: 15 };

/** Of all threads of this process. Where the system does not let a process raise it again, it stays low. */
export function setPriority(priority: Priority): void {
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      setNice(Number(thread), niceOf[priority]);
    } catch (error) {
      // It ended, or may not be raised.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}
