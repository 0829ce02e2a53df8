/** Does the work once, and prints what it took. */
export function measure(work: () => void): void {
  const processorBefore = process.cpuUsage();
  const begun = performance.now();
  work();
  const wallSeconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(processorBefore);
  process.stdout.write(`${JSON.stringify({ wallSeconds, cpuSeconds: (user + system) / 1e6 })}\n`);
}
