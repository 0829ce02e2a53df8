import type Dockerode from 'dockerode';
import type { JsonObject } from './json-object.ts';

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

export interface PostOptions {
  readonly abortSignal: AbortSignal;
  readonly body: JsonObject;
  readonly query?: Readonly<Record<string, string>>;
}

/** `POST path` with a body that is sent as it stands: dockerode's own methods take only what their types know. */
export function post(
  dockerode: Dockerode,
  path: string,
  { query, body, abortSignal }: PostOptions,
): Promise<unknown> {
  const answered = Promise.withResolvers<unknown>();
  dockerode.modem.dial(
    {
      path: query === undefined ? path : `${path}?`,
      options: { _body: body, ...(query === undefined ? {} : { _query: query }) },
      abortSignal,
      method: 'POST',
      statusCodes: { 200: true, 201: true, 204: true },
    },
    (error, answer) => {
      if (error) answered.reject(error);
      else answered.resolve(answer);
    },
  );
  return answered.promise;
}
