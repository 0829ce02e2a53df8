import type { BackupExpiry } from '@holdfast/protocol';
import type { End, KeepRule, RemoveRule, Verdict } from './verdict.ts';

/** Why a backup stays, as it goes on after "kept: ". */
export function wordsOfKeep(rule: KeepRule): string {
  switch (rule.rule) {
    case 'pinned':
      return 'pinned';
    case 'unfinished':
      return `it is ${rule.status}`;
    case 'own-retention':
      return `its own retention, until ${date(rule.expiresAtMs)}`;
    case 'until-deleted':
      return 'until somebody deletes it';
    case 'manual-count':
      return rule.count === 1 ? 'the newest manual one' : `one of the newest ${rule.count} manual ones`;
    case 'schedule':
      return `the schedule ${rule.schedule}`;
    case 'no-schedule':
      return 'no schedule is set any more';
    case 'failed':
      return 'it failed not long ago, or no newer one is good';
    case 'not-made-up-for':
      return 'it is damaged or doubtful, and newer ones do not make up for it yet';
    case 'vanished':
      return 'Docker does not have its environment now, and no rule removes anything meanwhile';
    case 'environment-deleted':
      return 'its environment was deleted, which can be taken back until then';
    case 'last-good':
      return `the last good one (else: ${wordsOfRemove(rule.instead)})`;
  }
}

/** Why a backup goes, as it goes on after "removed: ". */
export function wordsOfRemove(rule: RemoveRule): string {
  switch (rule.rule) {
    case 'own-retention':
      return `its own retention ended ${date(rule.expiresAtMs)}`;
    case 'manual-count':
      return rule.count === 1 ? 'a newer manual one is ready' : `${rule.count} newer manual ones are ready`;
    case 'schedules':
      return 'no schedule keeps it';
    case 'max-backups':
      return `more than ${rule.count} backups`;
    case 'failed':
      return 'it failed a while ago, and a newer one is good';
  }
}

/** A verdict as users are told of it. */
export function expiryOf(verdict: Verdict): BackupExpiry {
  if (verdict.kind === 'remove') {
    return { atMs: null, afterNext: null, text: null, keptBy: [], removedBy: wordsOfRemove(verdict.rule) };
  }
  const { end, rules } = verdict;
  return {
    atMs: end.kind === 'date' ? end.atMs : null,
    afterNext: end.kind === 'replaced' ? end.afterNext : null,
    text: wordsOfEnd(end),
    keptBy: rules.map(wordsOfKeep),
    removedBy: null,
  };
}

/** How long a backup stays, as far as it can be foreseen; null where nothing ends it. */
export function wordsOfEnd(end: End): string | null {
  switch (end.kind) {
    case 'none':
      return null;
    case 'date':
      return `until ${date(end.atMs)}`;
    case 'replaced':
      return `replaced after the next ${end.afterNext} ${kindOf(end)}`;
  }
}

function kindOf({ by, afterNext }: Extract<End, { kind: 'replaced' }>): string {
  const backups = afterNext === 1 ? 'backup' : 'backups';
  switch (by.kind) {
    case 'schedule':
      return `${backups} of the schedule ${by.schedule}`;
    case 'manual':
      return `manual ${backups}`;
    case 'good':
      return backups;
  }
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ').concat(' UTC');
}
