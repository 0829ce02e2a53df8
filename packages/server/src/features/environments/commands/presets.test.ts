import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { presetKinds, presetOf } from './presets.ts';

const names = Object.entries(presetKinds).map(([name, { argument }]) =>
  argument === null ? name : `${name}:/data/it's here.db`,
);

describe('presets', () => {
  test.each(names)('%s: both commands are shell that can be read', (name) => {
    const { backup, restore } = presetOf(name);
    for (const { command } of [backup, restore]) execFileSync('sh', ['-n', '-c', command]);
    if (backup.endPattern !== null) new RegExp(backup.endPattern);
  });

  test('the end of a dump is known, and that of a part of one is not', () => {
    const endOf = (name: string) => new RegExp(presetOf(name).backup.endPattern ?? '');
    expect('\n-- Dump completed on 2026-11-21 10:00:00\n').toMatch(endOf('mariadb'));
    expect('INSERT INTO x VALUES\n').not.toMatch(endOf('mariadb'));
    expect('data\n\xff12345678').toMatch(endOf('redis'));
    expect('\xff123456789').not.toMatch(endOf('redis'));
  });

  test('one that there is not, and one with a wrong argument, are told', () => {
    expect(() => presetOf('oracle')).toThrow('There is no preset oracle.');
    expect(() => presetOf('sqlite')).toThrow('needs the path');
    expect(() => presetOf('postgres:x')).toThrow('takes nothing');
    expect(() => presetOf('toString')).toThrow('There is no preset');
  });

  test('are documented as what they run', async () => {
    const documented = fileURLToPath(new URL('../../../../../../docs/presets.md', import.meta.url));
    const sections = Object.entries(presetKinds).map(([name, { summary, argument, make }]) => {
      const preset = make(argument === null ? '' : '/data/app.db');
      const title = argument === null ? name : `${name}:PATH`;
      return `## ${title}\n\n${summary}\n\n${block('Backup', preset.backup.command)}\n${block('Restore', preset.restore.command)}`;
    });
    const text = `# Presets\n\nWhat a preset runs in the container, as it stands in the program (\`holdfast component:set db --preset NAME\`, or the label\n\`holdfast.backup.preset\`): see docs/backup-by-command.md.\n\n${sections.join('\n')}`;
    await expect(text).toMatchFileSnapshot(documented);
  });
});

function block(title: string, command: string): string {
  return `${title}:\n\n\`\`\`sh\n${command}\n\`\`\`\n`;
}
