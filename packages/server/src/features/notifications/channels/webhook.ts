import { createHmac } from 'node:crypto';
import type { SettingsOf } from '../notification-settings.ts';
import type { Channel, Outgoing } from './channel.ts';
import { sendRequest } from './send-request.ts';

/** JSON by POST, signed with the webhook's secret; docs/notifications.md says how to verify it. */
export const sendWebhook: Channel<SettingsOf<'webhook'>> = async (outgoing, settings, options) => {
  const body = webhookBody(outgoing);
  // Of this attempt, so that a receiver can refuse old ones that somebody sends again.
  const seconds = Math.floor(options.nowMs / 1000);
  const signature = createHmac('sha256', settings.secret).update(`${seconds}.${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'holdfast-event': outgoing.message.event,
    'holdfast-delivery': outgoing.id,
    'holdfast-signature': `t=${seconds},v1=${signature}`,
  };
  return await sendRequest({ method: 'POST', url: new URL(settings.url), headers, body }, options);
};

function webhookBody({ id, message: told }: Outgoing): string {
  const { event, timeMs, environment, backup, job, message, hint, details } = told;
  const time = new Date(timeMs).toISOString();
  return JSON.stringify({ id, event, time, environment, backup, job, message, hint, details });
}
