import { eventually } from '../../e2e/support/process.ts';

export async function untilAnswers(url: string): Promise<void> {
  await eventually(`${url} answers`, async () => (await fetch(url).catch(() => undefined))?.ok);
}
