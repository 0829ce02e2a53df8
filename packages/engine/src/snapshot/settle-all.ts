/** Waits for all, also when one fails, so that nothing goes on behind the caller's back; then throws the first failure. */
export async function settleAll(promises: Iterable<Promise<unknown>>): Promise<void> {
  const outcomes = await Promise.allSettled(promises);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
