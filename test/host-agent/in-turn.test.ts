import { describe, expect, it } from 'vitest';
import { createTurnsOf } from '../../host-agent/in-turn.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { deferred } from '../data-path/helpers/until.ts';

describe('a turn that is waited for', () => {
  it('is given up by an abort: the act is never begun, and whoever waits behind it has the next turn', async () => {
    const inTurn = createTurnsOf()('vg');
    const first = deferred();
    const begun: string[] = [];
    const abort = new AbortController();
    const busy = inTurn(async () => {
      begun.push('first');
      await first.promise;
    });
    const given = thrownBy(inTurn(async () => void begun.push('given up'), abort.signal));
    const next = inTurn(async () => void begun.push('next'));

    abort.abort(new Error('the job was cancelled'));
    const error = await given;
    first.resolve();
    await Promise.all([busy, next]);

    expect(error.message).toBe('the job was cancelled');
    expect(begun).toEqual(['first', 'next']);
  });

  it('that has come is not taken away: the act ends as it does', async () => {
    const inTurn = createTurnsOf()('vg');
    const abort = new AbortController();
    const begun = deferred();
    const goOn = deferred();
    const act = inTurn(async () => {
      begun.resolve();
      await goOn.promise;
      return 'done';
    }, abort.signal);
    await begun.promise;

    abort.abort(new Error('too late'));
    goOn.resolve();

    expect(await act).toBe('done');
  });

  it('is not waited for at all by who was aborted before', async () => {
    const inTurn = createTurnsOf()('vg');
    const first = deferred();
    const busy = inTurn(() => first.promise);

    const error = await thrownBy(inTurn(async () => undefined, AbortSignal.abort(new Error('before'))));
    first.resolve();
    await busy;

    expect(error.message).toBe('before');
  });
});
