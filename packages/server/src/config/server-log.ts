import { destination, type Logger as Pino, pino } from 'pino';
import type { Config } from './load-config.ts';
import type { LogFields, Logger } from './logger.ts';

/** JSON lines on standard error, written before the call returns: the last words of a process are not lost. */
export function createServerLog(level: Config['logLevel']): Pino {
  return pino({ level, base: null }, destination({ fd: 2, sync: true }));
}

/** The same log as the rest of the program knows it. */
export function toLogger(log: Pino): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void =>
      log[level](fields, message);
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => toLogger(log.child({ ...fields })),
  };
}
