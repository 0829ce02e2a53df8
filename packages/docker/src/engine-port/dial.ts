import type Dockerode from 'dockerode';

export interface DialOptions {
  readonly abortSignal: AbortSignal;
  readonly query?: Readonly<Record<string, string>>;
  /** Answer the response itself instead of its parsed JSON. */
  readonly isStream?: boolean;
}

/**
 * `GET path` through dockerode's connection: for requests that dockerode's own methods, as typed, cannot abort, or whose
 * answer they would hold whole.
 */
export function dial(
  dockerode: Dockerode,
  path: string,
  { query, ...options }: DialOptions,
): Promise<unknown> {
  const answered = Promise.withResolvers<unknown>();
  const target = query === undefined ? { path } : { path: `${path}?`, options: { ...query } };
  dockerode.modem.dial(
    { ...target, ...options, method: 'GET', statusCodes: { 200: true } },
    (error, answer) => {
      if (error) answered.reject(error);
      else answered.resolve(answer);
    },
  );
  return answered.promise;
}
