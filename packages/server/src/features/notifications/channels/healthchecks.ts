import type { Severity } from '../notification-event.ts';
import { bodyOf, type Message, severityOf } from '../notification-message.ts';
import type { SettingsOf } from '../notification-settings.ts';
import type { Channel } from './channel.ts';
import { sendRequest } from './send-request.ts';

const endings: Readonly<Record<Severity, string>> = {
  info: '',
  success: '',
  warning: '',
  failure: '/fail',
};

/** A ping of Healthchecks, hosted or one's own, with the message as its body. A test is shown there and changes no state. */
export const sendHealthchecks: Channel<SettingsOf<'healthchecks'>> = async (
  { message },
  settings,
  options,
) => {
  const url = new URL(settings.url);
  url.pathname = `${url.pathname.replace(/\/$/, '')}${endingOf(message)}`;
  const body = `${message.subject}\n\n${bodyOf(message)}`;
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return await sendRequest({ method: 'POST', url, headers, body }, options);
};

function endingOf(message: Message): string {
  if (message.event === 'test') return '/log';
  return message.event === 'backup.started' ? '/start' : endings[severityOf(message)];
}
