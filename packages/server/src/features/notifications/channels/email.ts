import { connect, isIP, type Socket } from 'node:net';
import { isHoldfastError, systemErrorCode, throwIfAborted, untilAborted } from '@holdfast/base';
import { lookupOf } from '@holdfast/outbound';
import { bodyOf } from '../notification-message.ts';
import type { SettingsOf } from '../notification-settings.ts';
import { type Channel, failures, type Outgoing, type SendOptions } from './channel.ts';
import { addressesOf, answerText } from './send-request.ts';

type EmailSettings = SettingsOf<'email'>;

/** One mail over one connection, to an address that was checked for it. */
export const sendEmail: Channel<EmailSettings> = async (outgoing, settings, options) => {
  const { signal } = options;
  const host = `${settings.host}:${settings.port}`;
  let socket: Socket | undefined;
  try {
    socket = await openSocket(settings, options);
    return await untilAborted(sendOver(socket, outgoing, settings), { signal });
  } catch (error) {
    throwIfAborted(signal);
    if (isHoldfastError(error)) throw error;
    throw smtpFailure(host, error);
  } finally {
    socket?.destroy();
  }
};

async function openSocket({ host, port }: EmailSettings, options: SendOptions): Promise<Socket> {
  const addresses = await addressesOf(host, options);
  const connected = Promise.withResolvers<void>();
  const socket = connect({ host, port, lookup: lookupOf(addresses) });
  socket.once('connect', connected.resolve);
  // Stays: an error that comes between two listeners of others would end the process.
  socket.on('error', connected.reject);
  try {
    await untilAborted(connected.promise, options);
    const address = socket.remoteAddress ?? 'unknown';
    if (!options.allowed.has(address)) throw failures.address(host, address);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function sendOver(
  connection: Socket,
  { id, message }: Outgoing,
  settings: EmailSettings,
): Promise<string> {
  const { host, port, security, user, password, from, to } = settings;
  // Loaded for mails alone: it takes time and memory.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    connection,
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    ...(isIP(host) === 0 ? { tls: { servername: host } } : {}),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const { response, rejected } = await transport.sendMail({
      from: { name: 'Holdfast', address: from },
      to,
      subject: message.subject,
      text: bodyOf(message),
      date: new Date(message.timeMs),
      // A repeat is the same mail.
      messageId: `<${id}@${from.split('@')[1] ?? 'holdfast'}>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'Holdfast-Event': message.event },
    });
    const answer = answerText(response);
    return rejected.length === 0 ? answer : `${answer} (but not for ${rejected.join(', ')})`;
  } finally {
    transport.close();
  }
}

/** An answer of 500 and more is final (RFC 5321, section 4.2.1); wrong credentials are as well. */
function smtpFailure(host: string, error: unknown) {
  const answer = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
  const text = error instanceof Error ? answerText(error.message) : 'unknown';
  if (typeof answer === 'number') return failures.answer(host, text, answer < 500);
  const code = systemErrorCode(error);
  return failures.connection(host, code === undefined || code === 'ESOCKET' || code === 'ETLS' ? text : code);
}
