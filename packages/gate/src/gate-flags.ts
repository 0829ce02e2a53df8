import { parseArgs } from 'node:util';
import { HoldfastError } from '@holdfast/base';

const defaultListen = '8080';
const defaultSocket = '/run/holdfast-gate.sock';
/** The hold limit's ten seconds of five hundred requests a second. */
const defaultWaiting = '5000';

export type GateFlags =
  | { readonly want: 'help' }
  | { readonly want: 'control'; readonly socket: string }
  | { readonly want: 'run'; readonly settings: GateSettings };

export interface GateSettings {
  readonly listen: { readonly host: string | undefined; readonly port: number };
  /** `http:` or `tcp:`, with host and port. */
  readonly target: URL;
  readonly socket: string;
  /** How many requests may wait at a time. */
  readonly waiting: number;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The command line of `holdfast gate`, and its variables.
 * @throws HoldfastError `usage-invalid`
 */
export function parseGateFlags(args: readonly string[], env: Variables): GateFlags {
  const { values, positionals } = parse(args);
  if (values.help === true) return { want: 'help' };
  const [verb, ...others] = positionals;
  if (others.length > 0 || (verb !== undefined && verb !== 'control')) {
    throw wrong(`There is no "${positionals.join(' ')}".`);
  }
  const socket = values.socket ?? env.HOLDFAST_GATE_SOCKET ?? defaultSocket;
  if (verb === 'control') return { want: 'control', socket };
  return {
    want: 'run',
    settings: {
      listen: parseListen(values.listen ?? env.HOLDFAST_GATE_LISTEN ?? defaultListen),
      target: parseTarget(values.to ?? env.HOLDFAST_GATE_TO),
      socket,
      waiting: parseCount(values.waiting ?? env.HOLDFAST_GATE_WAITING ?? defaultWaiting),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        listen: { type: 'string' },
        to: { type: 'string' },
        socket: { type: 'string' },
        waiting: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    const [message = 'The command line is wrong.'] = error instanceof Error ? error.message.split('\n') : [];
    throw wrong(message, error);
  }
}

function parseListen(text: string): GateSettings['listen'] {
  const [, host, port = ''] = /^(?:(.*):)?(\d+)$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) throw wrong(`"${text}" is no port, nor HOST:PORT.`);
  return { host: host?.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function parseTarget(text: string | undefined): URL {
  if (text === undefined || text === '') throw wrong('It is not said what the gate stands before.');
  const target = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = target?.pathname === '' || target?.pathname === '/';
  const isHttp = target?.protocol === 'http:';
  const isTcp = target?.protocol === 'tcp:' && target.port !== '';
  if (target === undefined || !isPlain || target.hostname === '' || !(isHttp || isTcp)) {
    throw wrong(`"${text}" is neither http://HOST[:PORT] nor tcp://HOST:PORT.`);
  }
  return target;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw wrong(`"${text}" is no number of requests.`);
  return Number(text);
}

function wrong(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('usage-invalid', message.endsWith('.') ? message : `${message}.`, {
    hint: 'See holdfast gate --help.',
    cause,
  });
}

/** What `holdfast gate --help` prints. */
export function gateHelp(): string {
  return `Usage: holdfast gate --to http://HOST[:PORT]|tcp://HOST:PORT [--listen [HOST:]PORT]
       holdfast gate control

Stands before a component and passes on what comes: HTTP/1.1 with WebSockets, or any TCP. While a consistent backup
freezes the environment, new requests wait here instead of failing. SIGTERM or Ctrl-C stops it.

  --to URL
      The component. Variable HOLDFAST_GATE_TO
  --listen [HOST:]PORT
      Variable HOLDFAST_GATE_LISTEN; default ${defaultListen}
  --waiting COUNT
      So many requests may wait at a time; more are answered with 503 and Retry-After.
      Variable HOLDFAST_GATE_WAITING; default ${defaultWaiting}
  --socket PATH
      Where it is steered. Variable HOLDFAST_GATE_SOCKET; default ${defaultSocket}
  -h, --help
      Print this.

holdfast gate control, in the same container, joins standard input and output to that socket: Holdfast's server does it.
`;
}
