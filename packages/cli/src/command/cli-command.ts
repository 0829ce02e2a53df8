import { Command } from 'commander';

export interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** A command with examples, which stand in its help and in docs/cli.md. */
export class CliCommand extends Command {
  readonly examples: Example[] = [];

  constructor(name?: string) {
    super(name);
    this.addHelpText('after', () => (this.examples.length === 0 ? '' : `\n${this.#examplesText()}`));
  }

  /** @param line what to type after `holdfast ` */
  example(line: string, meaning: string): this {
    this.examples.push({ line: `holdfast ${line}`, meaning });
    return this;
  }

  #examplesText(): string {
    return ['Examples:', ...this.examples.map(({ line, meaning }) => `  # ${meaning}\n  ${line}`)].join('\n');
  }
}
