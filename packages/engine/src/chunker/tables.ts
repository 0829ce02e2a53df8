import { type ChunkerPolynomial, polynomialDegree } from './polynomial.ts';

export const windowBytes = 64;

/** The fingerprint's top byte is above this bit of its high half: 53 - 8 - 32. */
export const topByteShift = polynomialDegree - 8 - 32;

/**
 * For each value of a byte, as the high and the low 32 bits:
 * `reduce` takes the fingerprint's top byte back below the degree after a shift by 8;
 * `leave` removes the byte that leaves the window.
 */
export interface FingerprintTables {
  readonly reduceHigh: Int32Array;
  readonly reduceLow: Int32Array;
  readonly leaveHigh: Int32Array;
  readonly leaveLow: Int32Array;
}

export function fingerprintTables(polynomial: ChunkerPolynomial): FingerprintTables {
  const reduce = (value: bigint): bigint => {
    let rest = value;
    for (let bit = polynomialDegree + 8; bit >= polynomialDegree; bit -= 1) {
      if ((rest >> BigInt(bit)) & 1n) rest ^= polynomial << BigInt(bit - polynomialDegree);
    }
    return rest;
  };
  const [reduceHigh, reduceLow] = linearTable((bit) => {
    const overflow = 1n << BigInt(polynomialDegree + bit);
    return reduce(overflow) | overflow;
  });
  const [leaveHigh, leaveLow] = linearTable((bit) => {
    let fingerprint = 1n << BigInt(bit);
    for (let i = 1; i < windowBytes; i += 1) fingerprint = reduce(fingerprint << 8n);
    return fingerprint;
  });
  return { reduceHigh, reduceLow, leaveHigh, leaveLow };
}

/** All 256 values of a function that is linear over GF(2), from its values for single bits. */
function linearTable(ofBit: (bit: number) => bigint): [high: Int32Array, low: Int32Array] {
  const high = new Int32Array(256);
  const low = new Int32Array(256);
  for (let bit = 0; bit < 8; bit += 1) {
    const value = ofBit(bit);
    const valueHigh = Number(BigInt.asIntN(32, value >> 32n));
    const valueLow = Number(BigInt.asIntN(32, value));
    for (let byte = 1 << bit; byte < 256; byte += 1) {
      if (((byte >> bit) & 1) === 0) continue;
      high[byte] = (high[byte] ?? 0) ^ valueHigh;
      low[byte] = (low[byte] ?? 0) ^ valueLow;
    }
  }
  return [high, low];
}
