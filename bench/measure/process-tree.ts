import { readdirSync, readFileSync } from 'node:fs';

const everyMs = 50;
const pageKiB = 4;
const commandEnd = ') ';
/** Fields of `/proc/PID/stat` behind the command's name, see proc_pid_stat(5). */
const parentField = 1;
const residentField = 21;

/**
 * Watches how much memory the descendants of one process take together: resident pages, summed, looked at every 50 ms.
 * Pages that two of them share count twice. What a single process took at its highest is exact, for the kernel keeps it.
 */
export class MemoryWatch implements Disposable {
  readonly #root: number;
  /** Processes that ran before: none of them is a descendant, so they need not be looked at again. */
  readonly #others: ReadonlySet<string>;
  readonly #timer: NodeJS.Timeout;
  #peakKiB = 0;

  /** Start it right after the process: descendants that are older are not seen. */
  constructor(root: number, others: ReadonlySet<string>) {
    this.#root = root;
    this.#others = others;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  get peakBytes(): number {
    return this.#peakKiB * 1024;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const residents = descendantsOf(this.#root, this.#others);
    const sumKiB = residents.reduce((total, { residentKiB }) => total + residentKiB, 0);
    const highestKiB = Math.max(0, ...residents.map(({ pid }) => highestResidentKiB(pid)));
    this.#peakKiB = Math.max(this.#peakKiB, sumKiB, highestKiB);
  }
}

export function runningProcesses(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)));
}

interface Resident {
  readonly pid: string;
  readonly residentKiB: number;
}

function descendantsOf(root: number, others: ReadonlySet<string>): Resident[] {
  const byParent = new Map<string, Resident[]>();
  for (const pid of runningProcesses()) {
    if (others.has(pid)) continue;
    const fields = readProcess(pid, 'stat').split(commandEnd).at(-1)?.split(' ') ?? [];
    const siblings = byParent.get(fields[parentField] ?? '') ?? [];
    byParent.set(fields[parentField] ?? '', siblings);
    siblings.push({ pid, residentKiB: Number(fields[residentField] ?? 0) * pageKiB });
  }
  const found = [...(byParent.get(String(root)) ?? [])];
  for (const { pid } of found) found.push(...(byParent.get(pid) ?? []));
  return found;
}

function highestResidentKiB(pid: string): number {
  return Number(/^VmHWM:\s*([0-9]+)/m.exec(readProcess(pid, 'status'))?.[1] ?? 0);
}

function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // It ended meanwhile.
    return '';
  }
}
