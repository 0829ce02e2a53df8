import { HoldfastError } from '@holdfast/base';
import type { Right } from '@holdfast/protocol';
import type { Caller } from './handler.ts';

/** Finds whose token it is; undefined for a token that nobody has. */
export type Authenticate = (token: string) => Promise<Caller | undefined>;

/** @throws HoldfastError `unauthenticated` */
export async function requireCaller(
  authorization: string | undefined,
  authenticate: Authenticate,
): Promise<Caller> {
  const token = /^Bearer +(?<token>[\w~+/.=-]{1,512}) *$/i.exec(authorization ?? '')?.groups?.token;
  if (token === undefined) {
    throw new HoldfastError('unauthenticated', 'The request carries no token.', {
      hint: "Send it as Authorization: Bearer TOKEN. The first one is in the file token of the server's data directory.",
    });
  }
  const caller = await authenticate(token);
  if (caller !== undefined) return caller;
  throw new HoldfastError('unauthenticated', 'The token is not known to this server.', {
    hint: "Is it of another server, or was it replaced? The first one is in the file token of the server's data directory.",
  });
}

/** @throws HoldfastError `right-missing` */
export function requireRight(caller: Caller, right: Right): void {
  if (caller.rights.includes(right)) return;
  throw new HoldfastError('right-missing', `The token ${caller.name} lacks the right ${right}.`, {
    hint: 'Use a token that has it.',
    context: { right },
  });
}
