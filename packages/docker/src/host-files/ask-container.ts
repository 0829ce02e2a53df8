import { text } from 'node:stream/consumers';
import { type Abortable, HoldfastError, untilAborted } from '@holdfast/base';
import { holdfastLabels } from '../discovery/labels.ts';
import type { DockerEngine, NewMount } from '../engine-port/docker-engine.ts';
import { commandInImage } from '../image/holdfast-image.ts';
import { runAttached } from '../run-attached/run-attached.ts';

const timeoutMs = 60_000;

export interface AskContainerOptions {
  readonly docker: Pick<DockerEngine, 'containers'>;
  /** An image of Holdfast, by name or id. */
  readonly image: string;
}

/** A program of ours that answers one question in a container, and ends. */
export interface ContainerQuestion {
  /** From the top of the checkout. */
  readonly program: string;
  readonly args: readonly string[];
  /** What the container is for, as its label says. */
  readonly label: string;
  readonly mounts: readonly NewMount[];
  readonly capabilities: readonly string[];
  readonly question: unknown;
}

/** Answers what the program printed, from JSON. @throws HoldfastError `docker-refused` */
export async function askContainer(
  { docker, image }: AskContainerOptions,
  { program, args, label, mounts, capabilities, question }: ContainerQuestion,
  { signal }: Abortable,
): Promise<unknown> {
  const run = runAttached({
    connect: async () => docker,
    container: () => ({
      image,
      command: commandInImage(program, ...args),
      labels: { [holdfastLabels.internal]: label },
      mounts,
      sandbox: { capabilities, sharesPids: false },
    }),
  });
  const timer = setTimeout(() => run.kill(), timeoutMs);
  try {
    run.stdin.end(`${JSON.stringify(question)}\n`);
    const [answer, complaint] = await untilAborted(
      Promise.all([text(run.stdout), text(run.stderr), run.ended]),
      { signal },
    );
    return parseAnswer(answer, complaint);
  } finally {
    clearTimeout(timer);
    run.kill();
  }
}

/** Our own program wrote it: of the same version, in the same words. */
function parseAnswer(answer: string, complaint: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    throw new HoldfastError(
      'docker-refused',
      "The container that works on paths of the engine's machine gave no answer.",
      {
        hint: 'See whether the image is one of Holdfast, of the same version as the server.',
        context: { engineMessage: complaint.slice(-500) },
      },
    );
  }
}
