import type { ComponentDetails } from '@holdfast/protocol';
import { factLines } from '../../output/facts.ts';

/** A component for people. Commands of several lines stand below the facts. */
export function componentLines(component: ComponentDetails, width: number): string[] {
  const { preset, backup, restore, retention } = component.integrations.backups;
  return [
    ...factLines(
      [
        ['Component', component.name],
        ['Environment', component.environmentName],
        [
          'Instances',
          component.instances.map(({ name, state }) => `${name} (${state})`).join(', ') || 'none',
        ],
        ['Preset', preset],
        ['Backed up by', backup === undefined ? 'its mounts' : 'its backup command'],
        ['Backup time-out', backup?.timeout ?? null],
        ['Backup cron', backup?.cron_string ?? null],
        ['Restore time-out', restore?.timeout ?? null],
        ['Retention', retention],
      ],
      width,
    ),
    ...commandLines('Backup command:', backup?.command),
    ...commandLines('Restore command:', restore?.command),
  ];
}

function commandLines(title: string, command: string | undefined): string[] {
  return command === undefined ? [] : ['', title, ...command.split('\n').map((line) => `  ${line}`)];
}
