import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type SecureContextOptions, TLSSocket } from 'node:tls';

export interface SmtpReceiverOptions {
  /** Offers STARTTLS with this certificate, or speaks TLS from the start. */
  readonly certificate?: SecureContextOptions;
  readonly isTlsFromStart?: boolean;
  /** Answers to commands, by their first word, where they are others than those of a server that takes all. */
  readonly answers?: Readonly<Record<string, string>>;
}

export interface SmtpReceiver extends AsyncDisposable {
  readonly port: number;
  /** Lines of clients, outside of mails. */
  readonly commands: readonly string[];
  /** Mails as they came, headers and all. */
  readonly mails: readonly string[];
  /** Whether each mail came over TLS. */
  readonly encrypted: readonly boolean[];
}

const usualAnswers: Readonly<Record<string, string>> = {
  AUTH: '235 Welcome',
  MAIL: '250 Sender taken',
  RCPT: '250 Recipient taken',
  DATA: '354 Go on',
  QUIT: '221 Bye',
  STARTTLS: '220 Ready',
};

/** A mail server on loopback that speaks as much SMTP (RFC 5321) as it takes to be sent a mail. */
export async function openSmtpReceiver(options: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
  const { certificate, isTlsFromStart = false, answers = {} } = options;
  const commands: string[] = [];
  const mails: string[] = [];
  const encrypted: boolean[] = [];
  const sockets = new Set<Socket>();

  function secured(socket: Socket): TLSSocket {
    const tls = new TLSSocket(socket, { isServer: true, ...certificate });
    tls.on('error', () => socket.destroy());
    return tls;
  }

  function answerTo(line: string, isEncrypted: boolean): string {
    const [verb = ''] = line.toUpperCase().split(' ');
    const own = answers[verb];
    if (own !== undefined) return own;
    if (verb === 'STARTTLS' && certificate === undefined) return '502 Not here';
    if (verb !== 'EHLO') return usualAnswers[verb] ?? '502 What?';
    const offers = certificate !== undefined && !isEncrypted ? ['STARTTLS'] : [];
    return ['receiver', ...offers, 'AUTH PLAIN LOGIN']
      .map((offer, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${offer}`)
      .join('\r\n');
  }

  function talk(socket: Socket, isEncrypted: boolean): void {
    let mail: string[] | undefined;
    const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
    const say = (text: string): void => void socket.write(`${text}\r\n`);
    lines.on('line', (line) => {
      if (mail !== undefined) {
        if (line !== '.') {
          mail.push(line);
          return;
        }
        mails.push(mail.join('\n'));
        encrypted.push(isEncrypted);
        mail = undefined;
        say(answers['.'] ?? '250 Queued as 42');
        return;
      }
      commands.push(line);
      const answer = answerTo(line, isEncrypted);
      say(answer);
      if (answer.startsWith('354')) mail = [];
      if (line === 'STARTTLS' && answer.startsWith('220')) {
        lines.close();
        talk(secured(socket), true);
      }
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const stream = isTlsFromStart ? secured(socket) : socket;
    talk(stream, isTlsFromStart);
    stream.write('220 receiver ESMTP\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    mails,
    encrypted,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
