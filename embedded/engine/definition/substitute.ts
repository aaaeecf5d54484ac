// Placeholders `${Name}` in the strings of a definition, replaced as definitionSubstitutions are on AWS.
import type { Json } from '../json.ts';
import type { Problem } from './problems.ts';

const PLACEHOLDER = /\$\{([A-Za-z0-9_.:-]+)\}/g;

export interface Substituted {
  readonly definition: Json;
  readonly problems: readonly Problem[];
}

export function substitute(definition: Json, values: Readonly<Record<string, string>>): Substituted {
  const problems: Problem[] = [];
  const visit = (value: Json, path: readonly string[]): Json => {
    if (typeof value === 'string') {
      return value.replaceAll(PLACEHOLDER, (placeholder: string, name: string) => {
        const replacement = Object.hasOwn(values, name) ? values[name] : undefined;
        if (replacement === undefined) problems.push(missing(path, name));
        return replacement ?? placeholder;
      });
    }
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, String(index)]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, visit(member, [...path, key])]));
  };
  return { definition: visit(definition, []), problems };
}

/** The path's last `States/<name>` names the state. */
function missing(path: readonly string[], name: string): Problem {
  const at = path.lastIndexOf('States');
  const state = at < 0 ? null : (path[at + 1] ?? null);
  const field = (at < 0 ? path : path.slice(at + 2)).join('/');
  return { state, field, problem: `holds the placeholder \${${name}}, which was not replaced; give a value for it` };
}
