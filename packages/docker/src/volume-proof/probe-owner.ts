import { isSameProcess, ownProcessIdentity } from '@holdfast/base';

const pattern = /^([0-9a-f-]{36})\.([0-9]+)\.([0-9]+)$/;

/** This process, as it signs the probes that it makes: `BOOT-ID.PID.START-TICKS`. */
export function ownOwner(): string {
  const { bootId, pid, startTicks } = ownProcessIdentity();
  return `${bootId}.${pid}.${startTicks}`;
}

/** True if it is the signature of a process that has ended: what that left behind, nobody will remove. */
export function isOwnerGone(owner: string): boolean {
  const [, bootId, pid, startTicks] = pattern.exec(owner) ?? [];
  if (bootId === undefined || pid === undefined || startTicks === undefined) return false;
  return !isSameProcess({ bootId, pid: Number(pid), startTicks });
}
