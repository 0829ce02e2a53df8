import { type ErrorCode, HoldfastError, systemErrorCode } from '@holdfast/base';

export interface EngineSubject {
  readonly kind: 'container' | 'volume' | 'network' | 'image';
  readonly name: string;
}

export interface EngineErrorFacts {
  readonly host: string;
  readonly action: string;
  readonly subject?: EngineSubject | undefined;
}

const unknownCode: Partial<Record<EngineSubject['kind'], ErrorCode>> = {
  container: 'container-unknown',
  volume: 'volume-unknown',
  network: 'network-unknown',
};

/** Says in Holdfast's codes what went wrong with a request to the engine. Only status and system codes decide. */
export function translateEngineError(error: unknown, facts: EngineErrorFacts): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const status = engineStatus(error);
  if (status === undefined) return unreachable(error, facts);
  const engineMessage = engineText(error);
  const { action, subject } = facts;
  const code = status === 404 && subject !== undefined ? unknownCode[subject.kind] : undefined;
  if (code !== undefined && subject !== undefined) {
    return new HoldfastError(code, `There is no ${subject.kind} ${subject.name} (any more).`, {
      context: { engineMessage },
      cause: error,
    });
  }
  return new HoldfastError('docker-refused', `Docker refused to ${action}: ${engineMessage}`, {
    context: { engineMessage, status, action },
    retry: status >= 500,
    cause: error,
  });
}

/** The HTTP status that the engine answered with; `undefined` when it did not answer. */
export function engineStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function engineText(error: unknown): string {
  if (error instanceof Error && 'json' in error) {
    const { json } = error;
    if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') {
      return json.message;
    }
  }
  return error instanceof Error ? error.message.trim() : String(error);
}

function unreachable(error: unknown, facts: EngineErrorFacts): HoldfastError {
  const systemCode = systemErrorCode(error);
  return new HoldfastError('docker-unreachable', `Docker is not reachable at ${facts.host}.`, {
    hint: `${reasonOf(systemCode)} Name another engine with DOCKER_HOST=unix:///path/to/docker.sock.`,
    context: { host: facts.host, action: facts.action, ...(systemCode === undefined ? {} : { systemCode }) },
    retry: true,
    cause: error,
  });
}

function reasonOf(systemCode: string | undefined): string {
  switch (systemCode) {
    case 'ENOENT':
      return 'There is no such socket: is Docker installed and started?';
    case 'ECONNREFUSED':
      return 'Nothing listens on that socket: start Docker.';
    case 'EACCES':
    case 'EPERM':
      return 'This user may not open that socket: run Holdfast as root or in the group that owns it.';
    default:
      return 'The connection broke: see whether the Docker Engine was restarted.';
  }
}
