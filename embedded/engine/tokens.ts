// Task tokens. A token names its execution, so that it can be found again after a restart without a list of tokens.
// What makes it valid is its random part, which the frame in the journal holds.

export interface TokenPlace {
  readonly machine: string;
  readonly execution: string;
}

export function makeToken({ machine, execution }: TokenPlace, random: string): string {
  return `${Buffer.from(JSON.stringify([machine, execution]), 'utf8').toString('base64url')}.${random}`;
}

/** Undefined when it cannot have been made here. */
export function tokenPlace(token: string): TokenPlace | undefined {
  const [place = '', random = '', ...rest] = token.split('.');
  if (!/^[\w-]+$/.test(place) || !/^[\w-]+$/.test(random) || rest.length > 0) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(place, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
    const [machine, execution]: unknown[] = parsed;
    return typeof machine === 'string' && typeof execution === 'string' ? { machine, execution } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
