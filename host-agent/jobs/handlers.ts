import { adoptVolume } from './adopt.ts';
import { finishMove, moveWithinBackend, undoMove } from './backend-move.ts';
import { checkSource } from './check.ts';
import type { JobHandlers } from './context.ts';
import { copyData } from './copy.ts';
import { copyByDd } from './copy-dd.ts';
import { createVolume, prepareDestination, removeObject } from './objects.ts';
import { repairData } from './repair.ts';
import { scanPool } from './scan.ts';
import { reverifyData, verifyData } from './verify.ts';

export const HANDLERS: JobHandlers = {
  'volume.create': createVolume,
  'volume.adopt': adoptVolume,
  'destination.prepare': prepareDestination,
  'data.copy': (parts, run) => (run.job.input.engine === 'dd' ? copyByDd(parts, run) : copyData(parts, run)),
  'data.verify': verifyData,
  'data.repair': repairData,
  'data.reverify': reverifyData,
  'backend.move': moveWithinBackend,
  'backend.finish': finishMove,
  'backend.undo': undoMove,
  'object.remove': removeObject,
  'pool.scan': scanPool,
  'source.check': checkSource,
};
