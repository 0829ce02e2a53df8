import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { checkRepository } from '../maintenance/check.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { initRepository } from './init-repository.ts';

const writerPath = join(import.meta.dirname, '../testing/endless-writer.ts');

describe.each((await stockRestics()).slice(-1))(
  'a writer killed in the middle, judged by $version',
  (restic) => {
    it('leaves every snapshot that it reported, and nothing that is damaged', async () => {
      await using directory = await temporaryDirectory();
      const path = join(directory.path, 'repository');
      const repository = await initRepository({ backend: openBackend(path), passwords: ['secret'] });
      const reported: string[] = [];
      for (let kill = 0; kill < 8; kill += 1) reported.push(...(await writeAndKill(path, kill * 90)));
      expect(reported.length).toBeGreaterThan(0);

      const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      const { snapshots } = await repository.snapshots.list();
      expect(snapshots.map(({ id }) => id)).toEqual(expect.arrayContaining(reported));
      // The killed processes' locks do not keep us out: they are of this host, and their pids are dead.
      await using lock = await repository.lock('exclusive');
      await lock.release();
      await restic.run(path, 'secret', 'check', '--read-data');
    });
  },
);

/** The ids of the snapshots that the writer reported before it was killed, so long after it began. */
async function writeAndKill(repository: string, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [writerPath, repository, 'secret'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), closed]);
  await delay(afterMs);
  child.kill('SIGKILL');
  await closed;
  return output.split('\n').slice(0, -1);
}
