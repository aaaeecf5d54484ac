import process from 'node:process';
import { styleText } from 'node:util';
import { jsonOf, type Row } from './report/rows.ts';
import { caseTable, type Paint } from './report/table.ts';

/** What is shown while the bench runs: results on stdout, everything else on stderr and only where somebody looks. */
export interface Screen {
  machine(lines: readonly string[]): void;
  running(what: string): void;
  rows(caseName: string, rows: readonly Row[]): void;
  done(): void;
}

const CLEAR_LINE = '\r\u001b[K';

/** styleText asks whether stdout has colours, and honours NO_COLOR. */
const paint: Paint = (color, value) => styleText(color, value, { stream: process.stdout });

export const createScreen = (json: boolean): Screen => {
  const { stderr } = process;
  const clear = (): void => void (stderr.isTTY && stderr.write(CLEAR_LINE));
  return {
    machine(lines) {
      if (json) stderr.write(`${lines.join('\n')}\n`);
      else console.log(`${lines.join('\n')}\n`);
    },
    running(what) {
      if (stderr.isTTY) stderr.write(`${CLEAR_LINE}${what}`);
    },
    rows(caseName, rows) {
      clear();
      if (json) for (const row of rows) console.log(jsonOf(row));
      else console.log(caseTable(caseName, rows, paint));
    },
    done: clear,
  };
};
