import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';

declare const brand: unique symbol;

/** An irreducible polynomial over GF(2) of degree 53: bit n is the coefficient of x^n. */
export type ChunkerPolynomial = bigint & { readonly [brand]: 'ChunkerPolynomial' };

export const polynomialDegree = 53;

/**
 * Reads the hexadecimal form that a repository's config carries.
 * @throws HoldfastError `repository-damaged` when it is not an irreducible polynomial of degree 53
 */
export function parsePolynomial(hex: string): ChunkerPolynomial {
  const polynomial = /^[0-9a-f]{1,16}$/i.test(hex) ? BigInt(`0x${hex}`) : 0n;
  if (!isChunkerPolynomial(polynomial)) {
    throw new HoldfastError('repository-damaged', 'The chunker polynomial in the config is not usable.', {
      hint: 'Restore the file "config" of the repository from another copy.',
    });
  }
  return polynomial;
}

export function formatPolynomial(polynomial: ChunkerPolynomial): string {
  return polynomial.toString(16);
}

/** Draws until one is irreducible: about one in fifty is. `random` returns that many unpredictable bytes. */
export function randomPolynomial(random: (sizeBytes: number) => Uint8Array = randomBytes): ChunkerPolynomial {
  for (let attempt = 0; attempt < 100_000; attempt += 1) {
    const drawn = Buffer.from(random(8)).readBigUInt64LE();
    const candidate = BigInt.asUintN(polynomialDegree, drawn) | (1n << BigInt(polynomialDegree)) | 1n;
    if (isChunkerPolynomial(candidate)) return candidate;
  }
  throw new HoldfastError('internal', 'No irreducible polynomial was found: the random source is broken.');
}

function isChunkerPolynomial(polynomial: bigint): polynomial is ChunkerPolynomial {
  return degree(polynomial) === polynomialDegree && isIrreducible(polynomial);
}

/** Ben-Or's test: no common factor with x^(2^i) - x for i up to half the degree. */
function isIrreducible(polynomial: bigint): boolean {
  let power = 2n;
  for (let i = 1; i <= degree(polynomial) / 2; i += 1) {
    power = remainder(square(power), polynomial);
    if (greatestCommonDivisor(polynomial, power ^ 2n) !== 1n) return false;
  }
  return true;
}

function degree(polynomial: bigint): number {
  return polynomial === 0n ? -1 : polynomial.toString(2).length - 1;
}

function remainder(dividend: bigint, divisor: bigint): bigint {
  const divisorDegree = degree(divisor);
  let rest = dividend;
  for (let shift = degree(rest) - divisorDegree; shift >= 0; shift = degree(rest) - divisorDegree) {
    rest ^= divisor << BigInt(shift);
  }
  return rest;
}

/** Squaring over GF(2) puts a zero between each two coefficients. */
function square(polynomial: bigint): bigint {
  return BigInt(`0b${[...polynomial.toString(2)].join('0')}`);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, remainder(larger, smaller)];
  return larger;
}
