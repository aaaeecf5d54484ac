/** The same problem is told once in half a minute: a peer that is away must not fill the log. Others are told at once. */
const QUIET_MS = 30_000;

export type TellProblem = (what: string, error: unknown) => void;

export const quietly = (tell: TellProblem, monotonicMs: () => number): TellProblem => {
  const toldAt = new Map<string, number>();
  return (what, error) => {
    const key = `${what} ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}`;
    const now = monotonicMs();
    const last = toldAt.get(key);
    if (last !== undefined && now - last < QUIET_MS) return;
    if (toldAt.size > 1_000) toldAt.clear();
    toldAt.set(key, now);
    tell(what, error);
  };
};
