import { describe, expect, it } from 'vitest';
import { bytesApart } from '../../domain/bytes.ts';

describe('two amounts of bytes that are compared in one sentence', () => {
  it('are told short where that shows the difference', () => {
    expect(bytesApart(1024 ** 3, 200 * 1024 ** 2)).toEqual(['1.0 GiB', '200 MiB']);
  });

  it('are told to the byte where rounding would make them the same', () => {
    expect(bytesApart(1024 ** 3, 1024 ** 3 - 4096)).toEqual(['1073741824 bytes', '1073737728 bytes']);
  });
});
