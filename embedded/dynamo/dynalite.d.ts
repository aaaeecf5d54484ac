/** The parts of dynalite 4 that embedded/dynamo calls; the package has no types of its own. */

interface DynaliteStore {
  readonly db: {
    open(): Promise<void>;
    iterator(range: { gte: string; lt: string }): AsyncIterable<[key: string, value: unknown]>;
    get(key: string): Promise<unknown>;
    put(key: string, value: unknown): Promise<void>;
  };
  readonly lifecycleManager: { gracefulClose(): Promise<void> };
}

declare module 'dynalite/db/index.js' {
  const db: {
    create(options: {
      path?: string;
      createTableMs: number;
      updateTableMs: number;
      deleteTableMs: number;
    }): DynaliteStore;
  };
  export default db;
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    checkTypes(body: unknown, types: object): object;
    checkValidations(body: object, types: object, custom: unknown, store: DynaliteStore): void;
  };
  export default validations;
}
