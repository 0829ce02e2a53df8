import { describe, expect, it } from 'vitest';
import { formatPolynomial, parsePolynomial, randomPolynomial } from './polynomial.ts';

describe('polynomials', () => {
  it.each(['3da3358b4dc173', '25b468838dcb75', '38ad3161c9194d'])('takes %s, which restic drew', (hex) => {
    expect(formatPolynomial(parsePolynomial(hex))).toBe(hex);
  });

  it.each([
    ['of too small a degree', '7'],
    ['of too great a degree', '7da3358b4dc173'],
    ['divisible by x', '3da3358b4dc172'],
    ['divisible by x + 1', '3da3358b4dc171'],
    ['that is a square', '20000000000001'],
    ['that is no number', 'xyz'],
    ['that is nothing', ''],
    ['far too long', 'f'.repeat(1000)],
  ])('refuses one %s', (_, hex) => {
    expect(() => parsePolynomial(hex)).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
  });

  it('draws until one is irreducible', () => {
    let draws = 0;
    const polynomial = randomPolynomial(() => {
      draws += 1;
      // The first draw gives x^53 + 1, which x + 1 divides.
      return draws === 1 ? Buffer.alloc(8) : Buffer.from('73c14d8b35a33d00', 'hex');
    });
    expect(draws).toBe(2);
    expect(formatPolynomial(polynomial)).toBe('3da3358b4dc173');
  });

  it('draws a different one each time, that can be read again', () => {
    const [one, other] = [randomPolynomial(), randomPolynomial()];
    expect(one).not.toBe(other);
    expect(parsePolynomial(formatPolynomial(one))).toBe(one);
  });
});
