import { describe, expect, it } from 'vitest';
import { parseHosts } from '../../infra/hosts.ts';

describe('the hosts of a deployment', () => {
  it('are none when the context says nothing', () => {
    expect(parseHosts(undefined)).toEqual([]);
  });

  it('may be a list in cdk.json or words on the command line', () => {
    expect(parseHosts(['alpha', 'beta'])).toEqual(['alpha', 'beta']);
    expect(parseHosts('alpha,beta')).toEqual(['alpha', 'beta']);
    expect(parseHosts('')).toEqual([]);
  });

  it('are refused with the reason when an id is not one, or stands twice', () => {
    expect(() => parseHosts('al pha')).toThrow(/volmove:hosts.*1 to 60 of/);
    expect(() => parseHosts(['alpha', 'alpha'])).toThrow(/listed twice/);
    expect(() => parseHosts(7)).toThrow(/volmove:hosts/);
  });
});
