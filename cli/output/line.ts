import { harmless } from '../../domain/harmless.ts';
import type { Paint, Tone } from './paint.ts';

/** A line of text in toned pieces: it can be measured and cut before colours make its length a lie. */

export interface Span {
  readonly text: string;
  readonly tone?: Tone | undefined;
}
export type Line = readonly Span[];

/** `harmless` for a text of several lines. */
export const harmlessLines = (text: string): string => text.split('\n').map(harmless).join('\n');

export const span = (text: string, tone?: Tone): Span => ({ text: harmless(text), tone });

/** Code points: what a terminal shows as one character, but for wide and combined ones. */
export const charactersOf = (text: string): string[] => Array.from(text);

export const widthOf = (text: string): number => charactersOf(text).length;
export const lineWidth = (line: Line): number => line.reduce((sum, piece) => sum + widthOf(piece.text), 0);

/** Cuts to `columns` characters and shows the cut; a line that fits is unchanged. */
export const clip = (line: Line, columns: number, ellipsis: string): Line => {
  if (lineWidth(line) <= columns) return line;
  let room = Math.max(0, columns - 1);
  const kept: Span[] = [];
  for (const piece of line) {
    const characters = charactersOf(piece.text);
    kept.push({ ...piece, text: characters.slice(0, room).join('') });
    room -= Math.min(room, characters.length);
    if (room === 0) break;
  }
  return [...kept, { text: ellipsis }];
};

export const renderLine = (line: Line, paint: Paint): string =>
  line.map(({ text, tone }) => (tone === undefined || text === '' ? text : paint(tone, text))).join('');

const NO_BREAK = '\u00a0';

/** A command stays on one line where it fits: it is there to be copied. */
export const unbroken = (command: string): string => command.replaceAll(' ', NO_BREAK);

/** Words over several lines of at most `columns` characters; a longer word stands alone. */
export const wrap = (text: string, columns: number): string[] => {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/ +/u)) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (widthOf(joined) > columns && current !== '') {
      lines.push(current);
      current = word;
    } else {
      current = joined;
    }
  }
  return [...lines, current].map((line) => line.replaceAll(NO_BREAK, ' '));
};
