/** What a search of many stories says around its last line. */

export const SIMULATED =
  'Simulated: the domain, the store’s rules, every function, the state machine’s file and the agents’ job logic; the clock, the network, the queues and the storage are drawn from the seed.';

const MOST_LINES = 30;

/** The most frequent first; what is told more finely after a colon is left out. */
export const seenLines = (saw: ReadonlyMap<string, number>, stories: number): string[] => {
  const rows = [...saw]
    .filter(([what]) => !what.includes(': '))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, MOST_LINES);
  if (rows.length === 0) return [];
  return [`seen in so many of ${stories} stories:`, ...rows.map(([what, n]) => `${String(n).padStart(6)}  ${what}`)];
};
