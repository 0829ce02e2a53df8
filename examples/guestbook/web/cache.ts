import net from 'node:net';

type Reply = string | number | null | Reply[];

/** Keys in Redis, over its own protocol; one short connection per command keeps this example small. */
export class Cache {
  readonly #host: string;

  constructor(host: string) {
    this.#host = host;
  }

  async ping(): Promise<void> {
    await this.#command('PING');
  }

  /** All keys with their values, by key. */
  async list(): Promise<Record<string, string>> {
    const keys = await this.#command('KEYS', '*');
    if (!Array.isArray(keys) || keys.length === 0) return {};
    const sorted = keys.filter((key) => typeof key === 'string').sort();
    const values = await this.#command('MGET', ...sorted);
    return Object.fromEntries(sorted.map((key, i) => [key, String(Array.isArray(values) ? values[i] : '')]));
  }

  async get(key: string): Promise<string | undefined> {
    const value = await this.#command('GET', key);
    return typeof value === 'string' ? value : undefined;
  }

  async put(key: string, value: string): Promise<void> {
    await this.#command('SET', key, value);
  }

  async #command(...words: readonly string[]): Promise<Reply> {
    const socket = net.connect({ host: this.#host, port: 6379, timeout: 5_000 });
    socket.on('timeout', () => socket.destroy(new Error('Redis did not answer in time.')));
    try {
      socket.write(`*${words.length}\r\n`);
      for (const word of words) socket.write(`$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      return await replyFrom(socket);
    } finally {
      socket.destroy();
    }
  }
}

async function replyFrom(socket: net.Socket): Promise<Reply> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    const parsed = parseReply(received, 0);
    if (parsed !== undefined) return parsed.reply;
  }
  throw new Error('Redis closed the connection before it had answered.');
}

/** The reply that starts at `from` and where it ends, or nothing while bytes of it are missing. */
function parseReply(bytes: Buffer, from: number): { reply: Reply; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('utf8', from + 1, lineEnd);
  let end = lineEnd + 2;
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case '+':
      return { reply: line, end };
    case ':':
      return { reply: Number(line), end };
    case '$': {
      if (line === '-1') return { reply: null, end };
      const start = end;
      end += Number(line) + 2;
      return end > bytes.length ? undefined : { reply: bytes.toString('utf8', start, end - 2), end };
    }
    case '*': {
      const items: Reply[] = [];
      for (let count = Number(line); count > 0; count -= 1) {
        const item = parseReply(bytes, end);
        if (item === undefined) return undefined;
        items.push(item.reply);
        end = item.end;
      }
      return { reply: items, end };
    }
    default:
      throw new Error(`Redis refused: ${line}`);
  }
}
