import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type MoverEvent, type MoverMessage, moverEventSchema, type TaskSpec } from '@holdfast/protocol';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A real mover process, spoken to as a server does. */
export class StartedMover {
  readonly child: ChildProcess;
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  readonly #eventsPath: string;
  readonly #events: MoverEvent[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(task: TaskSpec) {
    this.child = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#eventsPath = task.eventsPath;
    this.exited = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    void this.exited.then(() => this.#changed.resolve());
    this.child.stdin?.on('error', () => {});
    if (this.child.stdout !== null) {
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.#events.push(moverEventSchema.parse(JSON.parse(line)));
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      });
    }
    this.child.stdin?.write(`${JSON.stringify(task)}\n`);
  }

  /** As they came on standard output. */
  get events(): readonly MoverEvent[] {
    return this.#events;
  }

  /** As they stand in the event file. */
  get writtenEvents(): readonly MoverEvent[] {
    const lines = readFileSync(this.#eventsPath, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => moverEventSchema.parse(JSON.parse(line)));
  }

  send(message: MoverMessage): void {
    this.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** The end of the mover's input, as when its server dies. */
  closeInput(): void {
    this.child.stdin?.end();
  }

  async sees<Type extends MoverEvent['type']>(type: Type): Promise<Extract<MoverEvent, { type: Type }>> {
    for (;;) {
      const found = this.#events.find((event) => event.type === type);
      if (found !== undefined) return found as Extract<MoverEvent, { type: Type }>;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`The mover ended without ${type}: ${JSON.stringify(this.#events.at(-1))}`);
      }
      await this.#changed.promise;
    }
  }

  /** Begins, and answers each milestone of a freeze, if there is one, up to that one; or the mover ends. */
  async reach(milestone: 'precopied' | 'captured' | 'sealed'): Promise<void> {
    this.send({ type: 'go' });
    const first = await Promise.race([this.sees('precopied'), this.sees('sealed'), this.sees('result')]);
    if (first.type !== 'precopied' || milestone === 'precopied') return;
    this.send({ type: 'frozen' });
    const second = await Promise.race([this.sees('captured'), this.sees('result')]);
    if (second.type !== 'captured' || milestone === 'captured') return;
    this.send({ type: 'thawed' });
    await Promise.race([this.sees('sealed'), this.sees('result')]);
  }

  /** Answers each milestone at once, up to the result. */
  async runThrough() {
    await this.reach('sealed');
    this.send({ type: 'commit' });
    const result = await this.sees('result');
    await this.exited;
    return result;
  }
}
