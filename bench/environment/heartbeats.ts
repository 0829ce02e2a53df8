/** A time in which a process did not run, in milliseconds since the Unix epoch. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  /** Between two runs of the process: it was stopped and started. */
  readonly isRestart?: boolean;
}

/** Reads what `programs/heartbeat.ts` told, also of several runs one after the other; other lines are passed over. */
export function parseBeats(log: string): readonly Gap[] {
  const gaps: Gap[] = [];
  let endedMs: number | undefined;
  for (const line of log.split('\n')) {
    const [beat, what, first, second] = line.split(' ');
    if (beat !== 'beat') continue;
    if (what === 'gap') gaps.push({ fromMs: Number(first), toMs: Number(second) });
    if (what === 'end') endedMs = Number(first);
    if (what === 'start' && endedMs !== undefined)
      gaps.push({ fromMs: endedMs, toMs: Number(first), isRestart: true });
  }
  return gaps;
}

/** The longest that is over after `sinceMs` and had begun before `untilMs`. */
export function longestGap(gaps: readonly Gap[], sinceMs: number, untilMs: number): Gap | undefined {
  return gaps
    .filter(({ fromMs, toMs }) => toMs > sinceMs && fromMs < untilMs)
    .toSorted((a, b) => lengthMs(b) - lengthMs(a))[0];
}

export function lengthMs({ fromMs, toMs }: Gap): number {
  return toMs - fromMs;
}

/** From the first that begins to the last that ends. */
export function span(gaps: readonly Gap[]): Gap {
  return {
    fromMs: Math.min(...gaps.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...gaps.map(({ toMs }) => toMs)),
  };
}
