/** What the demo tells while it runs: plain lines, on the stream that is not the result's. */
export interface Story {
  /** A step of the five. */
  step(title: string): void;
  /** A fact within a step. */
  note(text: string): void;
}

export function createStory(out: NodeJS.WritableStream): Story {
  let steps = 0;
  return {
    step(title) {
      steps += 1;
      out.write(`${steps === 1 ? '' : '\n'}${steps}. ${title}\n`);
    },
    note(text) {
      for (const line of text.split('\n')) out.write(`   ${line}\n`);
    },
  };
}
