const pageBytes = 4096;
const zeroPage = Buffer.alloc(pageBytes);

/** The ranges, in whole pages but for the last, that are not all zeros. */
export function* dataRanges(
  bytes: Uint8Array,
): Generator<{ readonly start: number; readonly end: number }, void> {
  let start = -1;
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    const isZero = zeroPage.compare(page, 0, page.length, 0, page.length) === 0;
    if (!isZero && start === -1) start = at;
    if (isZero && start !== -1) {
      yield { start, end: at };
      start = -1;
    }
  }
  if (start !== -1) yield { start, end: bytes.length };
}
