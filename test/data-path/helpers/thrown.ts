/** What the promise is rejected with; fails the test when it is not. */
export const thrownBy = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('It was expected to fail, and did not.');
};
