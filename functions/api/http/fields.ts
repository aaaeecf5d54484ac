import * as z from 'zod';

/** Fields that several bodies share. */

/** Control characters, and those that turn the direction of the text around them. */
const CONTROL = /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;
const CONTROL_BUT_LINES = /(?![\t\r\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;

export const isPlain = (text: string): boolean => !CONTROL.test(text) && text.isWellFormed();

/** One line of at most 255 characters, without anything that could play tricks in a terminal or a log. */
export const line = z.string().max(255).refine(isPlain, { error: 'contains control characters' });

export const name = line.transform((text) => text.trim());

export const description = z
  .string()
  .max(255)
  .refine((text) => !CONTROL_BUT_LINES.test(text) && text.isWellFormed(), { error: 'contains control characters' });

export const metadata = z.record(line.min(1), line);

const YES = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'Y', 'y', 'T', 't'] as const;
const NO = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'N', 'n', 'F', 'f'] as const;

export const isYes = (text: string | null): boolean => (YES as readonly (string | null)[]).includes(text);

const FLAGS = [true, ...YES, false, ...NO].map((v) => (typeof v === 'string' ? `'${v}'` : v ? 'True' : 'False'));

/** A boolean, or one of the texts that the standard takes for one: its older command line sends them. */
export const flag = z
  .union([z.boolean(), z.enum(YES), z.enum(NO)], { error: `is not one of [${FLAGS.join(', ')}]` })
  .transform((value) => value === true || (typeof value === 'string' && isYes(value)));
