import { volmoveError } from '../../../domain/error.ts';
import { type Caller, ROLES, type Role } from './exchange.ts';

/**
 * Authentication without an identity service, for loopback only: the token itself says who asks (`USER:PROJECT[:ROLE]`), or
 * says nothing and is believed to be an administrator of the project that the URL names.
 */

type Headers = Readonly<Record<string, string | undefined>>;

/** Finds out who asks. Throws Unauthorized, or MalformedUrl when URL and token speak of different projects. */
export type Authenticate = (headers: Headers, urlProject: string | undefined) => Caller;

const BEARER = /^Bearer\s+(\S.*)$/i;
const NAME = /^[^\s:/?#\p{Cc}]{1,255}$/u;

const tokenOf = (headers: Headers): string => {
  const token = headers['x-auth-token'] ?? BEARER.exec(headers.authorization ?? '')?.[1];
  if (token === undefined || token === '') {
    throw volmoveError('Unauthorized', {
      reason: 'The request you have made requires authentication: it has no token.',
    });
  }
  return token;
};

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

export const noauth: Authenticate = (headers, urlProject) => {
  const token = tokenOf(headers);
  const [userId = '', tokenProject, role = 'admin', ...more] = token.split(':');
  const wellFormed = NAME.test(userId) && (tokenProject === undefined || NAME.test(tokenProject)) && isRole(role);
  if (!wellFormed || more.length > 0) {
    throw volmoveError('Unauthorized', {
      reason: 'The token is not of the form USER:PROJECT[:ROLE] with role admin, member or reader.',
    });
  }
  if (tokenProject !== undefined && urlProject !== undefined && tokenProject !== urlProject)
    throw volmoveError('MalformedUrl', {});
  const projectId = urlProject ?? tokenProject ?? headers['x-project-id'];
  if (projectId === undefined || !NAME.test(projectId)) throw volmoveError('MalformedUrl', {});
  return { userId, projectId, role };
};

/** Where nobody has configured how callers prove who they are, nobody is let in. */
export const refuseEverybody: Authenticate = () => {
  throw volmoveError('Unauthorized', {
    reason: 'Tokens that prove nothing are taken on the embedded cloud alone; here no authentication is configured.',
  });
};
