import type { ByteWriter } from './byte-writer.ts';
import { type FileTime, formatSeconds, type SecondText, type TimeZone } from './file-time.ts';

/** A power of two. */
const rememberedSeconds = 1024;

/** Writes what `formatFileTime` gives. The files of a tree share many of their seconds, which it remembers. */
export class FileTimeWriter {
  readonly #zone: TimeZone;
  readonly #remembered: (SecondText | undefined)[] = Array.from({ length: rememberedSeconds });

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  write(into: ByteWriter, { seconds, nanoseconds }: FileTime): void {
    const { dateTime, offset } = this.#textOf(seconds);
    into.text(dateTime);
    if (nanoseconds !== 0) writeFraction(into, nanoseconds);
    into.text(offset);
  }

  #textOf(seconds: number): SecondText {
    const slot = (seconds >>> 0) % rememberedSeconds;
    const known = this.#remembered[slot];
    if (known?.seconds === seconds) return known;
    const text = formatSeconds(seconds, this.#zone);
    this.#remembered[slot] = text;
    return text;
  }
}

/** Without the zeros at its end. */
function writeFraction(into: ByteWriter, nanoseconds: number): void {
  let fraction = nanoseconds;
  let digits = 9;
  for (; fraction % 10 === 0; digits -= 1) fraction /= 10;
  into.text('.');
  into.decimal(fraction, digits);
}
