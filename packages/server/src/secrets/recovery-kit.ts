/** What the recovery kit, or a file with nothing but a recovery key, holds of one vault. */
export interface GivenKeys {
  /** As it opens the vault's repositories. */
  readonly recoveryKey: string;
  /** Of the server that made the kit; undefined where there was a key alone. */
  readonly sealKey: string | undefined;
  /** Where the vault was then. */
  readonly location: string | undefined;
}

/**
 * Reads what `holdfast vault:kit` prints, or a recovery key as it stands in the data directory.
 *
 * @returns undefined for a text that is neither, and for a kit without this vault
 */
export function parseRecoveryKit(text: string, vaultName: string): GivenKeys | undefined {
  const whole = text.trim();
  if (/^\S+$/.test(whole)) return { recoveryKey: whole, sealKey: undefined, location: undefined };
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const begins = lines.findIndex((line) => /^Vault (?<name>\S+)/.exec(line)?.groups?.name === vaultName);
  if (begins < 0) return undefined;
  const ends = lines.indexOf('', begins);
  const ofVault = lines.slice(begins, ends < 0 ? undefined : ends);
  const recoveryKey = factOf('recovery key', ofVault);
  if (recoveryKey === undefined) return undefined;
  const seal = lines.findIndex((line) => line.startsWith('Seal key'));
  const sealKey = /^[0-9a-f]{64}$/.exec(lines[seal + 1] ?? '')?.[0];
  return { recoveryKey, sealKey: seal < 0 ? undefined : sealKey, location: factOf('location', ofVault) };
}

function factOf(name: string, lines: readonly string[]): string | undefined {
  const line = lines.find((each) => each.startsWith(`${name}:`));
  const value = line?.slice(name.length + 1).trim();
  return value === '' ? undefined : value;
}
