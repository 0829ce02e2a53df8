/**
 * What kind of failure a code is. The command line turns it into an exit status, the HTTP layer into a status code.
 *
 * - `failed`: the work was tried and did not succeed
 * - `usage`: the request itself is wrong
 * - `not-found`: what was named does not exist
 * - `not-allowed`: the caller lacks the right
 * - `not-possible`: busy, or not possible in this state
 * - `interrupted`: somebody cancelled it
 */
export type ErrorKind = 'failed' | 'usage' | 'not-found' | 'not-allowed' | 'not-possible' | 'interrupted';

/** Every error code there is; `docs/errors.md` explains each, and a test holds the two together. */
export const errorCodes = {
  internal: 'failed',
  interrupted: 'interrupted',
  'usage-invalid': 'usage',
  'settings-invalid': 'usage',

  'repository-missing': 'not-found',
  'repository-exists': 'not-possible',
  'repository-damaged': 'failed',
  'repository-unsupported': 'failed',
  'repository-locked': 'not-possible',
  'repository-lock-lost': 'failed',
  'prune-refused': 'failed',
  'password-wrong': 'not-allowed',
  'key-unknown': 'not-found',
  'snapshot-unknown': 'not-found',
  'snapshot-ambiguous': 'usage',
  'path-unknown': 'not-found',
  'blob-missing': 'failed',
  'blob-damaged': 'failed',
  'storage-unreachable': 'failed',
  'storage-credentials-wrong': 'failed',
  'storage-bucket-missing': 'failed',
  'storage-not-writable': 'failed',
  'storage-full': 'failed',
  'storage-file-too-large': 'failed',
  'source-missing': 'not-found',
  'source-unreadable': 'failed',
  'source-empty': 'failed',
  'target-unsafe': 'not-allowed',
  'target-not-writable': 'failed',
  'target-full': 'failed',
  'restore-incomplete': 'failed',
  'target-changed': 'failed',
  'archive-refused': 'not-allowed',
  'archive-limit-reached': 'not-allowed',
  'archive-damaged': 'failed',
  'system-unsupported': 'failed',

  'import-refused': 'usage',
  'upload-unknown': 'not-found',
  'upload-too-large': 'not-possible',
  'upload-incomplete': 'failed',
  'url-refused': 'not-allowed',
  'url-failed': 'failed',
  'url-limit-reached': 'failed',

  'docker-unreachable': 'failed',
  'docker-refused': 'failed',
  'container-unknown': 'not-found',
  'volume-unknown': 'not-found',
  'network-unknown': 'not-found',
  'image-unknown': 'not-found',
  'command-timeout': 'failed',
  'command-not-started': 'not-possible',
  'command-left-running': 'failed',
  'command-failed': 'failed',
  'command-output-empty': 'failed',
  'command-output-incomplete': 'failed',
  'hook-failed': 'failed',
  'mount-needs-container': 'not-possible',
  'mount-refused': 'not-allowed',
  'freeze-refused': 'not-possible',
  'freeze-failed': 'failed',
  'freeze-broken': 'failed',
  'freeze-limit-reached': 'failed',
  'guard-failed': 'failed',
  'hold-failed': 'failed',
  'gate-busy': 'not-possible',
  'gate-unreachable': 'failed',

  'node-unknown': 'not-found',
  'node-exists': 'not-possible',
  'node-changed': 'failed',
  'code-unusable': 'failed',
  'code-refused': 'not-allowed',
  'environment-exists': 'not-possible',
  'environment-unknown': 'not-found',
  'environment-ambiguous': 'usage',
  'environment-inactive': 'not-possible',
  'environment-empty': 'not-possible',
  'environment-busy': 'not-possible',
  'environment-unfinished-restore': 'not-possible',
  'component-unknown': 'not-found',
  'instance-unknown': 'not-found',
  'instance-not-running': 'not-possible',
  'backup-unknown': 'not-found',
  'backup-not-ready': 'not-possible',
  'job-unknown': 'not-found',
  'job-not-cancellable': 'not-possible',
  'job-lease-lost': 'failed',
  'vault-missing': 'failed',
  'vault-unknown': 'not-found',
  'vault-exists': 'not-possible',
  'vault-in-use': 'not-possible',
  'storage-clock-wrong': 'failed',
  'mover-failed': 'failed',
  'mover-lost': 'failed',
  'server-lost': 'failed',

  'server-unreachable': 'failed',
  'server-incompatible': 'failed',
  'server-already-running': 'not-possible',
  'address-in-use': 'not-possible',
  'configuration-invalid': 'usage',
  'catalog-unreachable': 'failed',
  'catalog-newer': 'failed',
  'catalog-damaged': 'failed',
  'secret-unreadable': 'failed',
  unauthenticated: 'not-allowed',
  'right-missing': 'not-allowed',
  'host-refused': 'not-allowed',
  'route-unknown': 'not-found',
  'confirmation-needed': 'usage',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
