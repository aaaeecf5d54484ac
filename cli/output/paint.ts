import { styleText } from 'node:util';
import type { CliDeps, OutputStream } from '../runtime/deps.ts';

/** Colours and marks for one stream: what the environment and the terminal allow, decided once. */

export type Tone = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (tone: Tone, text: string) => string;

export interface Marks {
  readonly done: string;
  readonly active: string;
  readonly pending: string;
  readonly failed: string;
  readonly skipped: string;
  readonly unreached: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly barFull: string;
  readonly barEmpty: string;
}

const UNICODE: Marks = {
  done: '✔',
  active: '▶',
  pending: '·',
  failed: '✖',
  skipped: '-',
  unreached: '-',
  arrow: '→',
  ellipsis: '…',
  barFull: '█',
  barEmpty: '░',
};

/** For logs, and for terminals that would show three garbled characters for each mark. */
export const ASCII: Marks = {
  done: '+',
  active: '>',
  pending: '.',
  failed: 'x',
  skipped: '-',
  unreached: '-',
  arrow: '->',
  ellipsis: '~',
  barFull: '#',
  barEmpty: '.',
};

/** FORCE_COLOR wins over NO_COLOR, as in Node itself; a dumb terminal gets none. */
export const wantsColour = (env: CliDeps['env'], isTty: boolean): boolean => {
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return isTty && env.TERM !== 'dumb';
};

/** Whether a block can be redrawn in place. */
export const canRedraw = (env: CliDeps['env'], stream: OutputStream): boolean => stream.isTty && env.TERM !== 'dumb';

export const createPaint = (env: CliDeps['env'], isTty: boolean): Paint =>
  wantsColour(env, isTty) ? (tone, text) => styleText(tone, text, { validateStream: false }) : (_tone, text) => text;

export const marksFor = (env: CliDeps['env'], isTty: boolean): Marks => {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return isTty && /utf-?8/iu.test(locale) ? UNICODE : ASCII;
};
