import { describe, expect, it } from 'vitest';
import { sh } from './group.ts';
import { create, everyByte, MIB, NEVER, object, opened, thinRig } from './rig.ts';

/** With a real udevd, which makes the device nodes, and has a device open for a moment after each change of it. */
describe('a host with udev', () => {
  it('makes, fills, reads and removes volumes one after the other, none of them refused for what udev does', async () => {
    const { vg, driver } = await thinRig();
    for (const name of ['a', 'b', 'c']) {
      const { objectId, zero } = await create(driver, 16, name);
      const writer = await opened(driver, 'rw', name);
      await writer.write(MIB, Buffer.alloc(MIB, 0x7e));
      await writer.flush();
      await writer.close();
      const reader = await opened(driver, 'ro', name);
      const content = Buffer.alloc(MIB);
      await reader.read(MIB, content);
      await reader.close();

      expect(zero).toBe(true);
      expect(everyByte(content, 0x7e)).toBe(true);
      expect(await driver.remove({ ...object(name), objectId }, NEVER)).toBe(true);
    }
    expect((await sh('lvs', '--noheadings', '-o', 'lv_name', vg)).trim()).toBe('pool');
    expect(await sh('dmsetup', 'ls')).not.toMatch(/-[abc]\s/);
  });
});
