import type { Client } from '@holdfast/protocol';
import type { CliContext } from '../../context.ts';
import { connect } from '../../server/connect.ts';
import type { SettingsOptions } from './settings-options.ts';

/** For commands whose `--url` is something else. */
export async function connectTo(
  context: CliContext,
  { serverUrl, tokenFile }: Pick<SettingsOptions, 'serverUrl' | 'tokenFile'>,
): Promise<Client> {
  return await connect(context, {
    ...(serverUrl === undefined ? {} : { url: serverUrl }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  });
}
