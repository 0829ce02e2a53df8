import { type Job, type JobEvent, vaultIdSchema } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleBackup, sampleBackupId, sampleJob, sampleTimeMs } from '../../testing/samples.ts';

const { vaultId } = sampleBackup();
const error = { code: 'blob-missing', message: 'The repository has lost parts of this backup: web.' };

async function* ending(change: Partial<Job>): AsyncGenerator<JobEvent> {
  yield { type: 'job', job: sampleJob({ kind: 'inspect', state: 'done', ...change }) };
}

function vaultOf(id: string, name: string, isDefault: boolean) {
  return {
    ...{ id: vaultIdSchema.parse(id), name, isDefault, location: '/vault', status: 'ok' as const },
    ...{ problem: null, checkedAtMs: null, keyId: null, uploadBytesPerSecond: null, capacityBytes: null },
    createdAtMs: sampleTimeMs,
  };
}

function answers(change: Answers = {}): Answers {
  return {
    'vault.list': () => ({
      vaults: [vaultOf('vlt_9999999999999999', 'other', false), vaultOf(vaultId, 'default', true)],
    }),
    'vault.check': () => ({ jobs: [sampleJob({ kind: 'inspect' })] }),
    'job.events': () => ending({}),
    'backup.list': () => ({ backups: [], next: null }),
    ...change,
  };
}

const damaged: Answers = {
  'job.events': () => ending({ state: 'warnings', warnings: ['Packs that the index names are missing: 1.'] }),
  'backup.list': () => ({ backups: [{ ...sampleBackup(), status: 'damaged' }], next: null }),
  'backup.get': () => ({ ...sampleBackup(), status: 'damaged', error }),
};

describe('vault:check', () => {
  it('says that nothing is missing in the default vault', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, output } = await cliRun(['vault:check'], { server });
    expect({ status, output }).toEqual({ status: 0, output: 'guestbook: nothing is missing.\n' });
    expect(server.received.find(({ name }) => name === 'vault.check')?.params).toEqual({ vault: vaultId });
  });

  it('names what is damaged, and ends with 1', async () => {
    await using server = await ProtocolServer.start(answers(damaged));
    const { status, output } = await cliRun(['vault:check', 'default'], { server });
    expect(status).toBe(1);
    expect(output).toBe(`guestbook: 1 backup damaged.\n  ${sampleBackupId}: ${error.message}\n`);
    const asJson = await cliRun(['vault:check', 'default', '--format', 'json'], { server });
    expect(JSON.parse(asJson.output)).toMatchObject([
      { environmentName: 'guestbook', state: 'warnings', damaged: [{ id: sampleBackupId, error }] },
    ]);
  });

  it('leaves out what another vault has lost', async () => {
    await using server = await ProtocolServer.start(answers(damaged));
    const { status, output } = await cliRun(['vault:check', 'other'], { server });
    expect({ status, output }).toEqual({ status: 3, output: 'guestbook: no backup has lost anything.\n' });
  });

  it('ends as the job does that failed', async () => {
    const missing = { code: 'vault-missing', message: 'All of its packs are not there.' };
    await using server = await ProtocolServer.start(
      answers({ 'job.events': () => ending({ state: 'failed', error: missing }) }),
    );
    const { status, notes } = await cliRun(['vault:check'], { server });
    expect(status).not.toBe(0);
    expect(notes).toContain('error[vault-missing]');
  });
});
