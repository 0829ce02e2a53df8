import type { Severity } from '../notification-event.ts';
import { bodyOf, severityOf } from '../notification-message.ts';
import type { SettingsOf } from '../notification-settings.ts';
import type { Channel } from './channel.ts';
import { sendRequest } from './send-request.ts';

/** 3 is what ntfy does by default; 4 vibrates longer, 2 makes no sound. */
const priorities: Readonly<Record<Severity, number>> = { info: 2, success: 2, warning: 3, failure: 4 };
/** Those that ntfy shows as pictures. */
const tags: Readonly<Record<Severity, string>> = {
  info: 'information_source',
  success: 'white_check_mark',
  warning: 'warning',
  failure: 'rotating_light',
};
/** ntfy takes 4096 bytes; what is longer becomes a file. A character has up to three bytes. */
const mostCharacters = 1300;

/** As JSON to the server itself: titles of any characters get through, and the topic stands in no server's log. */
export const sendNtfy: Channel<SettingsOf<'ntfy'>> = async ({ message }, settings, options) => {
  const severity = severityOf(message);
  const body = JSON.stringify({
    topic: settings.topic,
    title: message.subject,
    message: bodyOf(message).slice(0, mostCharacters).trim(),
    priority: priorities[severity],
    tags: [tags[severity], message.event],
  });
  const headers = {
    'content-type': 'application/json',
    ...(settings.token === null ? {} : { authorization: `Bearer ${settings.token}` }),
  };
  return await sendRequest({ method: 'POST', url: new URL(settings.server), headers, body }, options);
};
