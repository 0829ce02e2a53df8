import { HoldfastError } from '@holdfast/base';
import { FieldReader } from './field-reader.ts';
import { decodeJsonObject, encodeJson } from './json.ts';

/** The repository's file `config`. */
export interface Config {
  /** 64 hexadecimal digits drawn at init; the same in every copy of the repository. */
  readonly id: string;
  /** Hexadecimal. */
  readonly chunkerPolynomial: string;
}

const supportedVersion = 2;

export function encodeConfig(config: Config): Buffer {
  return encodeJson({
    version: supportedVersion,
    id: config.id,
    chunker_polynomial: config.chunkerPolynomial,
  });
}

/** @throws HoldfastError `repository-damaged`, or `repository-unsupported` for another format version */
export function decodeConfig(bytes: Uint8Array): Config {
  const fields = new FieldReader(decodeJsonObject(bytes, 'config'), 'config');
  const version = fields.count('version');
  if (version !== supportedVersion) {
    throw new HoldfastError('repository-unsupported', `The repository has format version ${version}.`, {
      hint:
        version === 1
          ? 'Upgrade it with `restic migrate upgrade_repo_v2`, then try again.'
          : 'Only format version 2 is supported. A newer Holdfast may know this one.',
      context: { version },
    });
  }
  return { id: fields.id('id'), chunkerPolynomial: fields.string('chunker_polynomial') };
}
