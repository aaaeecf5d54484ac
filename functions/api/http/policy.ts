import { volmoveError } from '../../../domain/error.ts';
import { type Caller, ROLES, type Role } from './exchange.ts';

/** A rule's name is the standard's where it has one: it is part of the text that clients show. */
export interface Policy {
  readonly rule: string;
  readonly role: Role;
}

/** Throws Forbidden. */
export const enforce = (caller: Caller, { rule, role }: Policy): void => {
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(role)) throw volmoveError('Forbidden', { rule });
};
