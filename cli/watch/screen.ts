import { type Line, renderLine } from '../output/line.ts';
import type { Paint } from '../output/paint.ts';
import type { OutputStream } from '../runtime/deps.ts';

/** A block of lines at the bottom of a terminal that is redrawn in place. */
export interface Screen {
  readonly draw: (lines: readonly Line[]) => void;
  /** Leaves the last picture where it is and gives the cursor back. */
  readonly close: () => void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const up = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A`);

export const createScreen = (stream: OutputStream, paint: Paint): Screen => {
  let height = 0;
  let hidden = false;
  return {
    draw: (lines) => {
      const body = lines.map((line) => `${renderLine(line, paint)}${CLEAR_TO_LINE_END}\n`).join('');
      stream.write(`${hidden ? '' : HIDE_CURSOR}${up(height)}\r${body}${CLEAR_BELOW}`);
      hidden = true;
      height = lines.length;
    },
    close: () => {
      if (hidden) stream.write(SHOW_CURSOR);
      hidden = false;
      height = 0;
    },
  };
};
