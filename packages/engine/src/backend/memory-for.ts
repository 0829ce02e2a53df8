/** So much of the memory that a caller gave to read to or, where it gave none that is large enough, new memory. */
export function memoryFor(sizeBytes: number, into: Buffer | undefined): Buffer {
  return into === undefined || into.length < sizeBytes
    ? Buffer.allocUnsafe(sizeBytes)
    : into.subarray(0, sizeBytes);
}
