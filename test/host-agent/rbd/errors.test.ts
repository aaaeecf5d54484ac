import { describe, expect, it } from 'vitest';
import { refusalBy, textOf } from '../../../host-agent/drivers/rbd/errors.ts';

/** As rbd and ceph 16.2.15 said it. */
const said = (exitCode: number, stderr: string) => ({ exitCode, stdout: '', stderr });
const ASKED = { place: 'ceph#fast', object: 'vol', timeoutSeconds: 30 };

describe('what rbd and ceph say', () => {
  it.each([
    [2, 'rbd: error opening image none: (2) No such file or directory\n', 'ObjectMissing'],
    [2, "rbd: error opening pool 'nopool': (2) No such file or directory\n", 'BackendOffline'],
    [2, "rbd: namespace 'ns' does not exist.\n", 'BackendOffline'],
    [17, 'rbd: create error: (17) File exists\n', 'NameTaken'],
    [16, 'rbd: preparing migration failed: (16) Device or resource busy\n', 'ObjectBusy'],
    [
      16,
      'rbd: error: image still has watchers\nThis means the image is still open or the client using it crashed. Try again after closing/unmapping it or waiting 30s for the crashed client to timeout.\n',
      'ObjectBusy',
    ],
    [
      39,
      "rbd: image has snapshots - these must be deleted with 'rbd snap purge' before the image can be removed.\n",
      'HasDependents',
    ],
    [1, 'rbd: create error: (1) Operation not permitted\n', 'NotPermitted'],
    [1, 'Removing image: 0% complete...failed.\nrbd: delete error: (1) Operation not permitted\n', 'NotPermitted'],
    [22, 'Image migration: 0% complete...failed.\nrbd: migration failed: (22) Invalid argument\n', 'BackendRefused'],
    [1, "rbd: unrecognised option '--no-progress'\n", 'BackendRefused'],
    [110, 'rbd: error opening image x: (110) Connection timed out\n', 'BackendOffline'],
    [
      110,
      "rbd: couldn't connect to the cluster!\nrbd: listing images failed: (110) Connection timed out\n",
      'BackendOffline',
    ],
    [13, "rbd: couldn't connect to the cluster!\nrbd: listing images failed: (13) Permission denied\n", 'NotPermitted'],
    [
      2,
      "rbd: couldn't connect to the cluster!\nrbd: listing images failed: (2) No such file or directory\n",
      'NotPermitted',
    ],
    [1, '[errno 13] RADOS permission denied (error connecting to the cluster)\n', 'NotPermitted'],
    [1, '[errno 110] RADOS timed out (error connecting to the cluster)\n', 'BackendOffline'],
    [1, 'timed out\n', 'BackendOffline'],
    [1, 'Error EACCES: access denied\n', 'NotPermitted'],
    [28, 'rbd: create error: (28) No space left on device\n', 'NoSpace'],
    [122, 'rbd: create error: (122) Disk quota exceeded\n', 'NoSpace'],
    [108, 'rbd: error opening image x: (108) Cannot send after transport endpoint shutdown\n', 'BackendOffline'],
  ])('is, with exit code %i and %j, %s', (exitCode, stderr, code) => {
    expect(refusalBy(said(exitCode, stderr), ASKED).code).toBe(code);
  });

  it('is kept for a person without the lines of a log and without progress', () => {
    const stderr = `2026-11-30T16:13:44.763+0000 7f7b5d2186c0 -1 librbd::Watcher: 0x7f7b44007440 handle_register_watch: failed to register watch: (1) Operation not permitted

Removing image: 0% complete...failed.
rbd: delete error: (1) Operation not permitted
`;

    expect(textOf({ stderr })).toBe('rbd: delete error: (1) Operation not permitted');
  });

  it('is the log when there is nothing else, without where in its source it came from', () => {
    const stderr = '2026-11-30T16:14:33.539+0000 7fb596bba380  0 monclient(hunting): authenticate timed out after 3\n';

    expect(textOf({ stderr })).toBe('monclient(hunting): authenticate timed out after 3');
  });

  it('never has a key in it', () => {
    const key = `AQ${'d'.repeat(36)}==`;

    expect(textOf({ stderr: `bad key = ${key} in the keyring\n` })).toBe('bad key = (a key) in the keyring');
  });

  it('names the caps and the id to an administrator whose client is not let in', () => {
    const end = said(13, "rbd: couldn't connect to the cluster!\nrbd: listing images failed: (13) Permission denied\n");

    const { message, remedy } = refusalBy(end, ASKED);

    expect(message).toContain('its keyring and its caps');
    expect(remedy).toContain('caps');
  });

  it('is nothing but the exit code when it said nothing', () => {
    expect(refusalBy(said(5, ''), ASKED).message).toContain('it ended with 5 and said nothing');
  });
});
