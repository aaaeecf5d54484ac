import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { createProblemLog } from '../../local/problem-log.ts';

const SERVICE = 'http://127.0.0.1:8776';

const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8776'), { code: 'ECONNREFUSED', $metadata: { attempts: 3 } });
const noTable = (): Error => {
  const error = new Error('Cannot do operations on a non-existent table\nat somewhere');
  error.name = 'ResourceNotFoundException';
  return Object.assign(error, { $metadata: {} });
};

const createWorld = (isTerminal: boolean) => {
  const lines: string[] = [];
  const logged: unknown[] = [];
  const now = { ms: Date.UTC(2026, 0, 1, 12, 0, 1) };
  const tell = createProblemLog({
    isTerminal,
    service: SERVICE,
    print: (line) => lines.push(line),
    log: (what, error) => logged.push([what, error]),
    nowMs: () => now.ms,
    monotonicMs: () => now.ms,
  });
  return { tell, lines, logged, now };
};

describe('problems on a terminal', () => {
  it('are one plain line each: when, what, why, and what becomes of it', () => {
    const { tell, lines, logged } = createWorld(true);

    tell('registration', noTable());
    tell('heartbeat', refused());
    tell('job 7', volmoveError('NoSpace', { reason: 'no\u001b[2J room' }));
    tell('engine', new TypeError('x is not a function\n  at here'));
    tell('odd', 'a word');

    expect(lines).toEqual([
      `12:00:01 registration: the service is not up at ${SERVICE}: tried again`,
      `12:00:01 heartbeat: the service is not up at ${SERVICE}: tried again`,
      '12:00:01 job 7: The destination’s storage is full: no?[2J room',
      '12:00:01 engine: TypeError: x is not a function',
      '12:00:01 odd: a word',
    ]);
    expect(logged).toEqual([]);
  });

  it('of a peer are not taken for the service’s', () => {
    const { tell, lines } = createWorld(true);

    tell('a connection', Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:4433'), { code: 'ECONNREFUSED' }));

    expect(lines).toEqual(['12:00:01 a connection: connect ECONNREFUSED 10.0.0.7:4433']);
  });

  it('are told once, however often they come, until they change', () => {
    const { tell, lines, now } = createWorld(true);

    for (let second = 0; second < 300; second += 1) {
      tell('registration', second < 200 ? refused() : noTable());
      tell('heartbeat', second === 299 ? new Error('too late') : refused());
      now.ms += 1000;
    }

    expect(lines).toEqual([
      `12:00:01 registration: the service is not up at ${SERVICE}: tried again`,
      `12:00:01 heartbeat: the service is not up at ${SERVICE}: tried again`,
      '12:05:00 heartbeat: too late',
    ]);
  });

  it('are told again when they were over for a while', () => {
    const { tell, lines, now } = createWorld(true);

    tell('heartbeat', refused());
    now.ms += 61_000;
    tell('heartbeat', refused());

    expect(lines).toHaveLength(2);
  });
});

describe('problems elsewhere', () => {
  it('go to the log whole, the same one once in half a minute', () => {
    const { tell, lines, logged, now } = createWorld(false);
    const error = refused();

    tell('heartbeat', error);
    tell('heartbeat', error);
    now.ms += 31_000;
    tell('heartbeat', error);

    expect(lines).toEqual([]);
    expect(logged).toEqual([
      ['heartbeat', error],
      ['heartbeat', error],
    ]);
  });
});
