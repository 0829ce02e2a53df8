import { HoldfastError } from '@holdfast/base';

interface NamedVault {
  readonly name: string;
  readonly location: string;
}

export function folderRefused(folder: string): HoldfastError {
  return new HoldfastError('usage-invalid', `"${folder}" is no folder within a vault.`, {
    hint: 'Name it by its path from the location of the vault downwards, such as laptop or hosts/laptop.',
    context: { folder },
  });
}

export function needsPassword(): HoldfastError {
  return new HoldfastError('usage-invalid', 'Nothing says what opens the repository.', {
    hint: 'Give the password that stock restic opens it with: --password-file FILE.',
  });
}

export function alreadyAdopted(vault: NamedVault, folder: string, environmentName: string): HoldfastError {
  return new HoldfastError(
    'repository-exists',
    `${folder} is the repository of the environment ${environmentName} already.`,
    {
      hint: `To take in what restic has added since: holdfast vault:adopt ${vault.name} ${folder} --environment ${environmentName}.`,
      context: { folder, environmentName },
    },
  );
}

export function otherRepository(vault: NamedVault, environmentName: string, folder: string): HoldfastError {
  return new HoldfastError(
    'repository-exists',
    `The environment ${environmentName} has a repository in the vault ${vault.name} already: ${folder}.`,
    {
      hint: 'It has one in each vault. Choose another environment: --environment NAME.',
      context: { folder, environmentName },
    },
  );
}

export function environmentInTheWay(vault: NamedVault, folder: string, name: string): HoldfastError {
  return new HoldfastError(
    'environment-exists',
    `There is an environment (Compose project) ${name} already.`,
    {
      hint: `If the backups are to be of that one, say so: holdfast vault:adopt ${vault.name} ${folder} --environment ${name}. Otherwise give another name.`,
      context: { name },
    },
  );
}

export function notAProject(name: string): HoldfastError {
  return new HoldfastError('usage-invalid', `"${name}" is no name of an environment.`, {
    hint: 'It begins with a small letter or a digit, and has only these, - and _.',
    context: { name },
  });
}

export function folderBusy(folder: string, jobId: string): HoldfastError {
  return new HoldfastError('environment-busy', `The folder ${folder} is being adopted already.`, {
    hint: `Follow it: holdfast job:watch ${jobId}.`,
    context: { folder, jobId },
  });
}

export function keyOpensNothing({ name }: NamedVault, folder: string, cause: unknown): HoldfastError {
  return new HoldfastError(
    'password-wrong',
    `The recovery key of the vault ${name} does not open ${folder}.`,
    {
      hint: `If stock restic has made it: holdfast vault:adopt ${name} ${folder} --password-file FILE. If another server has: the vault needs the recovery kit of that one (vault:add --recovery-key-file).`,
      context: { folder },
      cause,
    },
  );
}
