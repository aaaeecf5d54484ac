import { describe, expect, it } from 'vitest';
import { createNarrator } from '../../cli/demo/narrator.ts';
import { aMigration, anEvent, aProgress, aSuccess, GIB } from './builders.ts';

const narrate = (redraws: boolean) => {
  const lines: string[] = [];
  let drawn = '';
  const draw = (text: string): void => {
    drawn += text;
  };
  const narrator = createNarrator({
    print: (line) => lines.push(line),
    draw: redraws ? draw : undefined,
    env: { LANG: 'C.UTF-8', NO_COLOR: '1' },
  });
  return { narrator, lines, drawn: () => drawn };
};

describe('the demo on a terminal', () => {
  it('shows a bar with what is moved, and a full one only after success', () => {
    const { narrator, drawn } = narrate(true);

    narrator.progress(aMigration({ progress: aProgress({ percent: 50, done_bytes: GIB, total_bytes: 2 * GIB }) }));
    const half = drawn();
    narrator.progress(aMigration({ progress: aProgress({ percent: 100, done_bytes: 2 * GIB, total_bytes: 2 * GIB }) }));
    const almost = drawn();
    narrator.progress(aSuccess());

    expect(half).toMatch(/50 % +1\.0\sGiB of 2\.0\sGiB/u);
    expect(almost).toContain('99 %');
    expect(almost).not.toContain('100 %');
    expect(drawn()).toContain('100 %');
  });

  it('says what is zeroed while the rest of a larger destination is', () => {
    const { narrator, drawn } = narrate(true);

    narrator.progress(aMigration({ progress: aProgress({ zeroing: { done_bytes: 0, total_bytes: GIB } }) }));

    expect(drawn()).toContain('zeroing the rest of the destination');
  });

  it('draws the bar again below an event', () => {
    const { narrator, lines, drawn } = narrate(true);
    narrator.progress(aMigration({ progress: aProgress({ percent: 50 }) }));

    narrator.event(anEvent('start', 1));

    expect(lines).toHaveLength(1);
    expect(drawn().match(/50 %/gu)).toHaveLength(2);
  });
});

describe('the demo where nothing can be redrawn', () => {
  it('prints events and no bar', () => {
    const { narrator, lines } = narrate(false);

    narrator.progress(aMigration());
    narrator.event(anEvent('start', 1));

    expect(lines).toEqual([expect.stringContaining('Started')]);
  });
});
