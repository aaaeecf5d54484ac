/** Acts on each of them, so many at once; the results are in the order of what was given. The first failure is the whole's, and nothing more is begun. */
export const inParallel = async <T, R>(
  atOnce: number,
  of: readonly T[],
  act: (one: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results = new Array<R>(of.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < of.length) {
      const i = next++;
      try {
        results[i] = await act(of[i] as T);
      } catch (error) {
        next = of.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, of.length) }, work));
  return results;
};
