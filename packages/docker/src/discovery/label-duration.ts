const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** A duration such as `90s`, `5m` or `3d15h10m5s`, in milliseconds; undefined if the text is none, or nothing. */
export function labelDurationMs(text: string): number | undefined {
  if (!/^(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/.test(text)) return undefined;
  const totalMs = [...text.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0),
    0,
  );
  return totalMs === 0 ? undefined : totalMs;
}
