import type { ApiRequest, Reply } from '../http/exchange.ts';

/** Collections that clients look into on their way and that hold nothing here. */
const nothingIn =
  (collection: string) =>
  () =>
  async (_request: ApiRequest): Promise<Reply> => ({ status: 200, body: { [collection]: [] } });

export const listExtensions = nothingIn('extensions');
export const listTypes = nothingIn('volume_types');
