import { HoldfastError } from '@holdfast/base';
import type { Backend } from './backend.ts';
import { LocalBackend } from './local/local-backend.ts';

const comingSchemes = ['s3', 'rest'];
const foreignSchemes = ['sftp', 'rclone', 'b2', 'azure', 'gs', 'swift'];

/**
 * The place that a location names: a path, or `local:PATH`. Touches nothing yet.
 * @throws HoldfastError `usage-invalid` for a location that cannot be used
 */
export function openBackend(location: string): Backend {
  const scheme = /^([a-z0-9]+):/.exec(location)?.[1];
  if (scheme === 'local') return openLocal(location.slice('local:'.length));
  if (scheme !== undefined && comingSchemes.includes(scheme)) {
    throw new HoldfastError('usage-invalid', `Locations of the kind "${scheme}:" cannot be used yet.`, {
      hint: 'They come with a later version. Give a local directory.',
    });
  }
  if (scheme !== undefined && foreignSchemes.includes(scheme)) {
    throw new HoldfastError('usage-invalid', `Locations of the kind "${scheme}:" are not supported.`, {
      hint: `Give a local directory; for one that is called like this, write "local:${location}".`,
    });
  }
  return openLocal(location);
}

function openLocal(directory: string): Backend {
  if (directory === '' || directory.includes('\0')) {
    throw new HoldfastError('usage-invalid', 'The location of the repository is empty or not a path.', {
      hint: 'Give the path of a directory.',
    });
  }
  return new LocalBackend(directory);
}
