/** The storage hosts of a deployment, as the context says: `-c volmove:hosts=alpha,beta`, or a list in cdk.json. */
import * as z from 'zod';
import { HOST_ID } from '../domain/placement.ts';

const HOST = z.string().regex(HOST_ID, 'a host id is 1 to 60 of A-Z a-z 0-9 _ -');

const HOSTS = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(',').filter((part) => part !== ''))])
  .pipe(z.array(HOST))
  .refine((ids) => new Set(ids).size === ids.length, 'a host is listed twice')
  .default([]);

/** @throws Error that lists every problem of the context value. */
export const parseHosts = (contextValue: unknown): readonly string[] => {
  const parsed = HOSTS.safeParse(contextValue);
  if (!parsed.success) {
    throw new Error(
      `The context value "volmove:hosts" has to list host ids: ${parsed.error.issues.map((i) => i.message).join('; ')}.`,
    );
  }
  return parsed.data;
};
