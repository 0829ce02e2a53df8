import { writeFileSync } from 'node:fs';
import { cliReference } from './cli-reference.ts';
import { Cli } from './command/cli.ts';
import { processContext } from './process-context.ts';
import { createProgram } from './program.ts';

/** Writes docs/cli.md. */
const path = new URL('../../../docs/cli.md', import.meta.url);
writeFileSync(path, cliReference(createProgram(new Cli(processContext([])))));
