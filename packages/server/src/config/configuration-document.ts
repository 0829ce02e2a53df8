import { configFileVariable, configKeyNames, configKeys } from './config-keys.ts';

/** `docs/configuration.md`, made from the table of keys. */
export function configurationDocument(): string {
  const rows = configKeyNames.map((name) => {
    const { variables, defaultInWords, description } = configKeys[name];
    const named = variables.map((variable) => `\`${variable}\``).join(', ');
    return `| \`${name}\` | ${named} | ${defaultInWords} | ${description} |`;
  });
  return [
    '# Configuration of the server',
    '',
    'Made from the table of keys in `packages/server/src/config/config-keys.ts`; a test fails when the two differ.',
    '',
    'A setting comes from the first of these that names it:',
    '',
    '1. a flag of `holdfast server`: `--KEY VALUE`',
    '2. a variable of the environment; an empty one counts as not set',
    `3. one YAML file, \`KEY: VALUE\` a line: the one that \`${configFileVariable}\` names, else \`holdfast.yaml\` in the data directory`,
    '4. its default',
    '',
    'Unknown keys and values that mean nothing keep the server from starting, with the error `configuration-invalid`.',
    'Relative paths of flags and variables start from the working directory, those of the file from its folder.',
    '',
    '| key | variable | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
