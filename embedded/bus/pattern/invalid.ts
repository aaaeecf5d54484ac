/** Why an event pattern was refused, in words for the person who wrote it. */
export class InvalidPattern extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'InvalidPattern';
  }
}

export const asText = (value: unknown, what: string): string => {
  if (typeof value === 'string') return value;
  throw new InvalidPattern(`${what} must be a string`);
};

/** The one key and value of an object; match expressions have no more. */
export const onlyEntry = (object: object, where: string): readonly [key: string, value: unknown] => {
  const entries = Object.entries(object);
  const [entry] = entries;
  if (!entry) throw new InvalidPattern(`${where}: match expression name not found`);
  if (entries.length > 1) throw new InvalidPattern(`${where}: only one key is allowed in a match expression`);
  return entry;
};
