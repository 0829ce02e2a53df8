import { severityOf } from '../notification-message.ts';
import type { SettingsOf } from '../notification-settings.ts';
import type { Channel } from './channel.ts';
import { sendRequest } from './send-request.ts';

const mostCharacters = 250;

/** A push monitor of Uptime Kuma: up, or down with what happened. */
export const sendUptimeKuma: Channel<SettingsOf<'uptime-kuma'>> = async ({ message }, settings, options) => {
  const url = new URL(settings.url);
  const isFailure = severityOf(message) === 'failure';
  const text = isFailure ? `${message.subject}: ${message.message}` : message.subject;
  url.searchParams.set('status', isFailure ? 'down' : 'up');
  url.searchParams.set('msg', text.slice(0, mostCharacters));
  url.searchParams.set('ping', '');
  return await sendRequest({ method: 'GET', url }, options);
};
