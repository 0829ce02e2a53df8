/**
 * Text as it may be shown: control characters (names of files and volumes may hold any, also terminal sequences)
 * become `\xNN`, line breaks and tabs a blank.
 */
export function printable(text: string): string {
  return text.replaceAll(/\s*[\r\n\t]\s*/g, ' ').replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
