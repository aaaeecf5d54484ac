import { ADOPTION_ERRORS } from './errors/adoption.ts';
import type { Entry } from './errors/entry.ts';
import { MIGRATION_ERRORS } from './errors/migrations.ts';
import { REQUEST_ERRORS } from './errors/requests.ts';
import { STORAGE_ERRORS } from './errors/storage.ts';
import { VOLUME_ERRORS } from './errors/volumes.ts';

/**
 * Every error that a person or a state machine can see: its stable code (also the state machine's error name), its HTTP
 * status, whether trying again may help, its message and what to do. Texts of standard rejections are those of the
 * OpenStack Block Storage API, because its clients and their users know them.
 */
export const CATALOGUE = {
  ...REQUEST_ERRORS,
  ...VOLUME_ERRORS,
  ...ADOPTION_ERRORS,
  ...MIGRATION_ERRORS,
  ...STORAGE_ERRORS,
} as const;

export type ErrorCode = keyof typeof CATALOGUE;
export type ErrorParams<C extends ErrorCode> = (typeof CATALOGUE)[C] extends Entry<infer P> ? P : never;
