import type { Session } from './session.ts';

/** Lines of a long-running program: as they are, or as NDJSON. */
export const linePrinter =
  (session: Session) =>
  (line: string): void => {
    if (session.json) session.document({ at: new Date(session.deps.nowMs()).toISOString(), message: line }, 'line');
    else session.data(`${line}\n`);
  };
