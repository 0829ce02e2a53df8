import type { Argument, Option } from 'commander';
import { CliCommand } from './command/cli-command.ts';

const preface = `# Commands

Made by \`node packages/cli/src/docs.ts\` from the commands themselves; a test fails where the two differ.

A blank does for the colon: \`holdfast backup create\`. \`holdfast help COMMAND\` prints what is here.

Only what was asked for goes to standard output; progress, questions, remarks and errors go to standard error. An error
is one line, \`error[code]: what happened. hint\`, or one JSON object with \`--format json\` (\`--json\` for repositories);
[errors.md](errors.md) explains the codes.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage, or a confirmation is needed |
| 3 | done, with warnings |
| 4 | not found |
| 5 | not allowed |
| 6 | busy, or not possible in this state |
| 130 | interrupted or cancelled |

**Which server.** \`--url\`, else \`HOLDFAST_URL\`, else the one that runs with the data directory of this machine:
\`HOLDFAST_DATA\`, else \`/var/lib/holdfast\` for root and \`$XDG_DATA_HOME/holdfast\` for others. The token is that of
\`--token-file\`, else \`HOLDFAST_TOKEN\`, else the file \`token\` in the data directory, which is sent to this machine only.

**Which environment.** Where it is left out: the Compose project of the current folder (an environment whose folder it is or
is in, else the project that Compose would start here), else the only one there is; otherwise the command lists them and ends.

**Ctrl-C** while a command waits for its job asks the server to cancel the job; a second one leaves, and the job goes on.

**\`HOLDFAST_DEBUG=1\`** adds the stack of an error.
`;

/** The whole command line as Markdown, by group; options that many commands share stand once, at the top. */
export function cliReference(program: CliCommand): string {
  const commands = program.commands.filter((command) => command instanceof CliCommand);
  const groups = Map.groupBy(commands, (command) => headingText(command.helpGroup()));
  const sections = [...groups].map(([heading, members]) =>
    [`## ${heading}`, ...members.map(commandSection)].join('\n\n'),
  );
  return `${[preface.trimEnd(), sharedOptions(commands), ...sections].join('\n\n')}\n`;
}

/** By the heading that they have in help. */
function sharedOptions(commands: readonly CliCommand[]): string {
  const options = commands.flatMap(visibleOptions).filter((option) => option.helpGroupHeading !== undefined);
  const groups = Map.groupBy(options, (option) => headingText(option.helpGroupHeading ?? ''));
  return [...groups]
    .map(([heading, members]) => {
      const rows = new Set(members.map((option) => row(option.flags, descriptionOf(option))));
      return [`## ${optionsTitle(heading)}`, table([...rows])].join('\n\n');
    })
    .join('\n\n');
}

function commandSection(command: CliCommand): string {
  const headings = new Set(visibleOptions(command).flatMap((option) => option.helpGroupHeading ?? []));
  const links = [...headings].map(
    (heading) => `[${headingText(heading).toLowerCase()} options](#${anchor(heading)})`,
  );
  return [
    `### ${command.name()}`,
    `${command.description()}.`,
    `    holdfast ${command.name()} ${command.usage()}`,
    table(ownRows(command)),
    links.length === 0 ? '' : `And the ${links.join(', ')}.`,
    command.examples.map(({ line, meaning }) => `    # ${meaning}\n    ${line}`).join('\n'),
  ]
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

function ownRows(command: CliCommand): string[] {
  return [
    ...command.registeredArguments.map((argument) => row(argumentText(argument), argument.description)),
    ...visibleOptions(command)
      .filter((option) => option.helpGroupHeading === undefined)
      .map((option) => row(option.flags, descriptionOf(option))),
  ];
}

function visibleOptions(command: CliCommand): Option[] {
  return command.options.filter((option) => !option.hidden);
}

function headingText(heading: string): string {
  return heading.replace(/:$/, '');
}

function optionsTitle(heading: string): string {
  return `${headingText(heading)} options`;
}

function anchor(heading: string): string {
  return optionsTitle(heading).toLowerCase().replaceAll(' ', '-');
}

function table(rows: readonly string[]): string {
  return rows.length === 0 ? '' : ['| | |', '|---|---|', ...rows].join('\n');
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function descriptionOf({ description, argChoices, defaultValue }: Option): string {
  const remarks: string[] = [];
  if (argChoices !== undefined) remarks.push(`one of ${argChoices.join(', ')}`);
  if (defaultValue !== undefined && defaultValue !== true) remarks.push(`default: ${String(defaultValue)}`);
  return remarks.length === 0 ? description : `${description} (${remarks.join('; ')})`;
}

function row(flags: string, description: string): string {
  return `| \`${flags.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |`;
}
