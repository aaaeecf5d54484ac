import process from 'node:process';
import { problemLine, problemText } from '../domain/problem.ts';
import { quietly, type TellProblem } from './quietly.ts';

/** Where the problems of a long-running process go: plain lines on a terminal, a log that machines read anywhere else. */
export interface ProblemLogDeps {
  readonly isTerminal: boolean;
  /** Where the service is expected; undefined: where the SDK looks for it. */
  readonly service: string | undefined;
  readonly print: (line: string) => void;
  readonly log: TellProblem;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** A problem that was not heard of for so long is over: longer than anything that is tried again waits. */
const OVER_AFTER_MS = 60_000;
const MOST_KNOWN = 1_000;

export const createProblemLog = (deps: ProblemLogDeps): TellProblem => {
  if (!deps.isTerminal) return quietly(deps.log, deps.monotonicMs);
  const heardAtMs = new Map<string, number>();
  return (what, error) => {
    const text = problemText(what, error, deps.service);
    const now = deps.monotonicMs();
    const last = heardAtMs.get(text);
    if (heardAtMs.size > MOST_KNOWN) heardAtMs.clear();
    heardAtMs.set(text, now);
    if (last === undefined || now - last > OVER_AFTER_MS) deps.print(problemLine(text, deps.nowMs()));
  };
};

/** Of this process. Who looks for a mistake of ours sets VOLMOVE_DEBUG, and gets the log on a terminal, too. */
export const problemsOfProcess = (log: TellProblem, service?: string): TellProblem =>
  createProblemLog({
    isTerminal: process.stderr.isTTY && !process.env.VOLMOVE_DEBUG,
    service,
    print: (line) => void process.stderr.write(`${line}\n`),
    log,
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
  });
