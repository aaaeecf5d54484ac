import type { Amendment, AmendmentCondition, Path } from '../domain/amendment.ts';

/** An amendment as an UpdateItem says it, and as it is done to an item in memory. */

/** DynamoDB refuses it, and in memory the order would count. */
const requireApart = ({ set = [], add = [], remove = [] }: Amendment): void => {
  const changed = [...set.map(([path]) => path), ...add.map(([path]) => path), ...remove];
  const within = (one: Path, other: Path): boolean => other.every((field, at) => one[at] === field);
  const clash = changed.some((one, at) => changed.some((other, n) => n !== at && within(one, other)));
  if (clash) throw new TypeError('an amendment changes a field twice');
};

/** Names and values of one expression, numbered in the order in which they come. */
const createTerms = () => {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const nameOf = new Map<string, string>();
  const name = (field: string): string => {
    const known = nameOf.get(field) ?? `#n${nameOf.size}`;
    nameOf.set(field, known);
    names[known] = field;
    return known;
  };
  return {
    names,
    values,
    field: name,
    path: (path: Path): string => ['data', ...path].map(name).join('.'),
    value: (value: unknown): string => {
      const known = `:v${Object.keys(values).length}`;
      values[known] = value;
      return known;
    },
  };
};
type Terms = ReturnType<typeof createTerms>;

const conditionOf = (condition: AmendmentCondition, { path, value }: Terms): string => {
  const where = path(condition.path);
  if ('absent' in condition) return `attribute_not_exists(${where})`;
  if ('atLeast' in condition) return `${where} >= ${value(condition.atLeast)}`;
  if ('atMost' in condition) return `${where} <= ${value(condition.atMost)}`;
  return `${where} = ${value(condition.is)}`;
};

/** What UpdateItem takes. ADD takes no fields of fields, so numbers are raised by SET. */
export const updateOf = (amendment: Amendment, writeId: string) => {
  requireApart(amendment);
  const { when, set = [], add = [], remove = [] } = amendment;
  const terms = createTerms();
  const { field, path, value } = terms;
  const sets = [
    `${field('rev')} = ${field('rev')} + ${value(1)}`,
    `${field('writeId')} = ${value(writeId)}`,
    ...set.map(([where, to]) => `${path(where)} = ${value(to)}`),
    ...add.map(([where, by]) => `${path(where)} = ${path(where)} + ${value(by)}`),
  ];
  const removes = remove.map(path);
  const conditions = [`attribute_exists(${field('pk')})`, ...when.map((one) => conditionOf(one, terms))];
  return {
    UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeNames: terms.names,
    ExpressionAttributeValues: terms.values,
  };
};

type Fields = Readonly<Record<string, unknown>>;

const read = (data: unknown, [field, ...rest]: Path): unknown => {
  const value = (data as Fields | undefined)?.[field ?? ''];
  return rest.length === 0 ? value : read(value, rest);
};

/** `to` undefined: removes it. */
const withValue = (data: unknown, [field = '', ...rest]: Path, to: number | undefined): Fields => {
  if (data === undefined) throw new TypeError(`there is nothing that has a field ${field}`);
  const { [field]: before, ...others } = data as Fields;
  if (rest.length > 0) return { ...others, [field]: withValue(before, rest, to) };
  return to === undefined ? others : { ...others, [field]: to };
};

const holds = (data: unknown, condition: AmendmentCondition): boolean => {
  const value = read(data, condition.path);
  if ('absent' in condition) return value === undefined;
  if ('is' in condition) return value === condition.is;
  if (typeof value !== 'number') return false;
  return 'atLeast' in condition ? value >= condition.atLeast : value <= condition.atMost;
};

/** Undefined when a condition does not hold. */
export const amended = (data: unknown, amendment: Amendment): unknown => {
  requireApart(amendment);
  const { when, set = [], add = [], remove = [] } = amendment;
  if (!when.every((condition) => holds(data, condition))) return undefined;
  let next = data;
  for (const [path, to] of set) next = withValue(next, path, to);
  for (const [path, by] of add) next = withValue(next, path, (read(data, path) as number) + by);
  for (const path of remove) next = withValue(next, path, undefined);
  return next;
};
