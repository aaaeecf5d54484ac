import { describe, expect, it } from 'vitest';
import { machine, WORK } from './definitions.ts';
import { createWorld } from './world.ts';

describe('a clock that is set back', () => {
  it('does not let the times of events and entries decrease', async () => {
    const definition = machine({
      First: {
        ...WORK,
        Arguments: { FunctionName: 'f', Payload: '{% $states.context.State.EnteredTime %}' },
        Next: 'Second',
      },
      Second: {
        ...WORK,
        Arguments: { FunctionName: 'f', Payload: '{% $states.context.State.EnteredTime %}' },
        End: true,
      },
    });
    const world = await createWorld({
      machines: { main: definition },
      lambda: () => world.clock.setTime(world.clock.nowMs() - 3600_000),
    });

    const { startDate, stopDate = 0 } = await world.run();

    const times = (await world.history('run')).map(({ timestamp }) => timestamp);
    const entries = world.invocations.map(({ payload }) => String(payload));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(entries[1]?.localeCompare(entries[0] ?? '')).toBe(1);
    expect(stopDate).toBeGreaterThanOrEqual(startDate);
  });
});
