import { type Abortable, type Clock, HoldfastError, toHoldfastError, untilAborted } from '@holdfast/base';
import { AllowedAddresses, type ResolveName, resolveBySystem } from '@holdfast/outbound';
import { failures, type Outgoing, type SendOptions } from './channels/channel.ts';
import { sendEmail } from './channels/email.ts';
import { sendHealthchecks } from './channels/healthchecks.ts';
import { sendNtfy } from './channels/ntfy.ts';
import { sendUptimeKuma } from './channels/uptime-kuma.ts';
import { sendWebhook } from './channels/webhook.ts';
import { type Settings, secretsIn } from './notification-settings.ts';

export interface Receiver {
  readonly settings: Settings;
  readonly allowPrivate: boolean;
}

/**
 * Sends a message to one receiver, once, within a limited time; answers with what it said. No secret of the settings is
 * in what it said, nor in an error.
 *
 * @throws HoldfastError as a `Channel`
 */
export type SendMessage = (outgoing: Outgoing, receiver: Receiver, options: Abortable) => Promise<string>;

export interface SenderOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly timeoutMs?: number;
  readonly resolveName?: ResolveName;
}

const publicOnly = new AllowedAddresses([]);
/** One's own machine and networks, provider's shared ones included, that private networks over the Internet use. */
const privateToo = new AllowedAddresses(
  ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
  // What tells a machine of a cloud its secrets (Alibaba, AWS) is among them.
  ['100.100.100.200/32', 'fd00:ec2::/32'],
);

export function createSendMessage(sender: SenderOptions): SendMessage {
  const { clock, version, timeoutMs = 10_000, resolveName = resolveBySystem } = sender;
  return async (outgoing, { settings, allowPrivate }, { signal: given }) => {
    const secrets = secretsIn(settings);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(failures.tooLong(timeoutMs)), timeoutMs);
    const signal = given === undefined ? deadline.signal : AbortSignal.any([given, deadline.signal]);
    try {
      const options: SendOptions = {
        allowed: allowPrivate ? privateToo : publicOnly,
        resolveName,
        userAgent: `holdfast/${version}`,
        nowMs: clock.now(),
        signal,
      };
      return without(secrets, await untilAborted(send(outgoing, settings, options), { signal }));
    } catch (error) {
      throw withoutSecrets(secrets, toHoldfastError(error));
    } finally {
      clearTimeout(timer);
    }
  };
}

async function send(outgoing: Outgoing, settings: Settings, options: SendOptions): Promise<string> {
  switch (settings.kind) {
    case 'webhook':
      return await sendWebhook(outgoing, settings, options);
    case 'email':
      return await sendEmail(outgoing, settings, options);
    case 'ntfy':
      return await sendNtfy(outgoing, settings, options);
    case 'healthchecks':
      return await sendHealthchecks(outgoing, settings, options);
    case 'uptime-kuma':
      return await sendUptimeKuma(outgoing, settings, options);
  }
}

/** Without its cause, too: that is not looked through. */
function withoutSecrets(secrets: readonly string[], error: HoldfastError): HoldfastError {
  const { code, message, hint, context, retry } = error;
  return new HoldfastError(code, without(secrets, message), {
    ...(hint === undefined ? {} : { hint }),
    context,
    retry,
  });
}

function without(secrets: readonly string[], text: string): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
}
