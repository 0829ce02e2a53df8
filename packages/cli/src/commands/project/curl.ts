import { exitStatus, HoldfastError } from '@holdfast/base';
import type { Client, ProjectSettings } from '@holdfast/protocol';
import { Option } from 'commander';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { chooseProject } from '../../server/choose-project.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface CurlOptions extends ServerOptions {
  readonly project?: string;
  readonly request?: 'GET' | 'PATCH';
  readonly data?: string;
}

/** The only place below a project that can be asked for; with a slash before it or without. */
const settingsPath = /^\/?settings\/?$/;

export function projectCurlCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('project:curl', "Read or change a project's settings, as the API has them")
    .argument('<path>', 'settings')
    .option('-p, --project <name>', 'default: that of the Compose project of this folder, else the only one')
    .addOption(new Option('-X, --request <method>', 'GET or PATCH').choices(['GET', 'PATCH']))
    .option('-d, --data <json>', 'what to change; a comma behind the last element does no harm')
    .addHelpText(
      'after',
      `
What is left out stays as it is, null goes back to the default, a list is replaced as a whole. Of each type of environment
(production, staging, development): max_backups, default_config.manual_count, and default_config.schedule, a list of
{"interval": "1d", "count": 7}, with h, d, w, M (months) or y.`,
    )
    .example('project:curl settings', 'what is set; what is not there has its default')
    .example(
      `project:curl settings -X PATCH -d '{"data_retention": {"production": {"default_config": {"schedule": [{"interval": "1d", "count": 7}]}}}}'`,
      'a backup every day, of which 7 are kept',
    )
    .action(
      cli.action(async (path: string, options: CurlOptions) => {
        if (!settingsPath.test(path)) {
          throw new HoldfastError('usage-invalid', `A project has no ${path}.`, {
            hint: 'Only settings can be read and changed.',
          });
        }
        const settings = await request(context, await connect(context, options), options);
        context.output.line(JSON.stringify(settings, undefined, 2));
        return exitStatus.done;
      }),
    );
}

async function request(context: CliContext, client: Client, options: CurlOptions): Promise<ProjectSettings> {
  const { data, request: method = data === undefined ? 'GET' : 'PATCH' } = options;
  const { signal } = context.interrupts;
  if (method === 'GET' && data !== undefined)
    throw new HoldfastError('usage-invalid', 'What is read takes no data.', {
      hint: 'Change it with -X PATCH.',
    });
  if (method === 'PATCH' && data === undefined)
    throw new HoldfastError('usage-invalid', 'Nothing says what to change.', {
      hint: 'Give it with -d JSON.',
    });
  const body = data === undefined ? undefined : parseObject(data);
  const params = { project: await chooseProject(context, client, options.project) };
  if (body === undefined) return await client.call('project.settings', { params, signal });
  return await client.call('project.change', { params, body, signal });
}

/** @throws HoldfastError `usage-invalid` */
function parseObject(text: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: true });
  const [error] = errors;
  if (error !== undefined) {
    const before = text.slice(0, error.offset).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new HoldfastError(
      'usage-invalid',
      `This is no JSON: ${printParseErrorCode(error.error)} at ${place}.`,
      {
        hint: 'Put it in single quotes, so that the shell leaves it as it is.',
      },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new HoldfastError('usage-invalid', 'Settings are an object.', {
    hint: `Write {"data_retention": {…}}.`,
  });
}
