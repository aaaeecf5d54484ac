import { InvalidPattern } from './invalid.ts';

/**
 * `*` stands for any characters, also none; `\*` and `\\` for themselves. Matching walks the parts between the stars once, so
 * its cost is bounded by text times parts whatever the pattern is (a regular expression's is not).
 */
export const compileWildcard = (pattern: string): ((text: string) => boolean) => {
  const [first = '', ...rest] = partsOf(pattern);
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
};

const partsOf = (pattern: string): string[] => {
  const parts = [''];
  let afterStar = false;
  for (let at = 0; at < pattern.length; at += 1) {
    let letter = pattern.charAt(at);
    if (letter === '*') {
      if (afterStar) throw new InvalidPattern(`Consecutive wildcard characters at pos ${at}`);
      afterStar = true;
      parts.push('');
      continue;
    }
    afterStar = false;
    if (letter === '\\') {
      at += 1;
      letter = pattern.charAt(at);
      if (letter !== '*' && letter !== '\\') throw new InvalidPattern(`Invalid escape character at pos ${at - 1}`);
    }
    parts[parts.length - 1] += letter;
  }
  return parts;
};
