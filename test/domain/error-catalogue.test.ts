import { describe, expect, it } from 'vitest';
import { isErrorCode, toFailure, VolmoveError, volmoveError } from '../../domain/error.ts';
import { CATALOGUE, type ErrorCode } from '../../domain/error-catalogue.ts';
import { cannotMigrate } from '../../domain/volume/claim.ts';
import { aVolume, VOLUME_ID } from '../helpers/factories.ts';

/** A value for every parameter that any message takes. */
const PARAMS = {
  ...Object.fromEntries(
    ['id', 'reason', 'rule', 'path', 'method', 'asked', 'min', 'max', 'host', 'place', 'state', 'request', 'by', 'what']
      .concat([
        'status',
        'cause',
        'source',
        'destination',
        'hostId',
        'object',
        'program',
        'package',
        'volumeAt',
        'stillDiffering',
        'migrationId',
        'found',
        'wanted',
      ])
      .map((name) => [name, `the ${name}.`]),
  ),
  ...Object.fromEntries(
    ['limitBytes', 'sizeGib', 'run', 'needBytes', 'haveBytes', 'freeBytes', 'forSeconds', 'seconds'].map((name) => [
      name,
      7,
    ]),
  ),
  problems: ['the first.', 'the second.'],
};

const CODES = Object.keys(CATALOGUE) as ErrorCode[];
const messageOf = (code: ErrorCode): string => (CATALOGUE[code].message as (params: object) => string)(PARAMS);

/** The standard's own sentences end as they end there. */
const STANDARD_ENDINGS: ErrorCode[] = ['MalformedUrl', 'HostUnavailable', 'PoolNotFound'];

describe('the error catalogue', () => {
  it.each(CODES)('says of %s what happened, in a whole sentence', (code) => {
    const message = messageOf(code);

    expect(message.trim()).not.toBe('');
    expect(message).not.toMatch(/undefined|null|NaN|\[object/);
    if (!STANDARD_ENDINGS.includes(code)) expect(message).toMatch(/[.!?)]$/);
  });

  it.each(CODES)('says of %s what to do, in a whole sentence', (code) => {
    expect(CATALOGUE[code].remedy).toMatch(/^[A-Z].*[.!?)]$/);
  });

  it.each(CODES)('gives %s a status that HTTP knows for errors', (code) => {
    const { httpStatus } = CATALOGUE[code];

    expect([400, 401, 403, 404, 405, 406, 409, 413, 422, 500, 503]).toContain(httpStatus);
  });

  it.each(CODES)('carries %s as the name that a state machine catches, and back from its stored form', (code) => {
    const { remedy, httpStatus, retryable } = CATALOGUE[code];
    const error = new VolmoveError({ code, message: messageOf(code), remedy });

    const stored = error.toFailure();
    const again = new VolmoveError(JSON.parse(JSON.stringify(stored)));

    expect(error).toMatchObject({ name: code, code, httpStatus, retryable });
    expect(again).toEqual(error);
  });

  it('never calls an error of the caller one that trying again may help, save a conflict that passes', () => {
    const passing = CODES.filter((code) => CATALOGUE[code].retryable && CATALOGUE[code].httpStatus < 500);

    expect(passing).toEqual(['OutcomeUnsettled']);
  });
});

describe('texts that clients of the standard know', () => {
  it.each([
    ['an unknown volume', volmoveError('VolumeNotFound', { id: 'v' }), 404, 'Volume v could not be found.'],
    [
      'an unknown host',
      volmoveError('HostUnavailable', { host: 'a@b' }),
      400,
      "Invalid host: No available service named 'a@b'",
    ],
    [
      'a missing right',
      volmoveError('Forbidden', { rule: 'volume_extension:volume_admin_actions:migrate_volume' }),
      403,
      "Policy doesn't allow volume_extension:volume_admin_actions:migrate_volume to be performed.",
    ],
    ['a URL of another project', volmoveError('MalformedUrl', {}), 400, 'Malformed request url'],
    [
      'a version that is too high',
      volmoveError('VersionNotSupported', { asked: '3.99', min: '3.0', max: '3.70' }),
      406,
      'Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.70.',
    ],
  ])('%s', (_what, error, httpStatus, message) => {
    expect(error).toMatchObject({ httpStatus, message });
  });

  it('a volume that cannot be migrated: the one sentence, with our reason behind it', () => {
    const error = cannotMigrate(aVolume(), 'it is reserved');

    expect(error.httpStatus).toBe(400);
    expect(error.message).toBe(
      `Invalid volume: Volume ${VOLUME_ID} status must be available or in-use, must not be migrating, have snapshots, be replicated, be part of a group and destination host/cluster must be different than the current one (it is reserved)`,
    );
  });
});

describe('a thrown thing as a failure', () => {
  it('keeps a known code, and the text of anything else', () => {
    const known = toFailure(volmoveError('NoSpace', { reason: 'full' }));
    const unknown = toFailure(new RangeError('too far'));
    const odd = toFailure('odd');

    expect(known.code).toBe('NoSpace');
    expect(unknown).toMatchObject({ code: 'Internal', message: 'Unexpected: RangeError: too far' });
    expect(odd.message).toBe('Unexpected: odd');
  });

  it('takes no inherited property for a code', () => {
    expect(isErrorCode('NoSpace')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
    expect(isErrorCode('States.Timeout')).toBe(false);
  });
});
