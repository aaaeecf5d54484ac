import * as z from 'zod';
import { line } from '../http/fields.ts';

/** Bodies of the cleanup; like our other resources they take no key that they do not know. */

export const MOST_OBJECTS = 100;

const place = line.min(1).meta({ description: 'host@backend#pool' });

export const SCAN = z
  .strictObject({
    scan: z
      .strictObject({
        pools: z
          .array(z.strictObject({ host: place, after: line.nullish() }))
          .max(1000)
          .nullish()
          .meta({
            description:
              'What an earlier answer called unfinished; left out: every pool, and what is known to be left.',
          }),
      })
      .nullable(),
  })
  .meta({ id: 'CleanupScan' });

export const REMOVE = z
  .strictObject({
    remove: z.strictObject({
      objects: z
        .array(
          z.strictObject({
            object: line.min(1).meta({ description: 'The exact name.' }),
            host: place.nullish().meta({ description: 'Needed for what no migration and no volume remembers.' }),
            id: line
              .nullish()
              .meta({ description: 'The backend’s own id: another object of that name is left alone.' }),
          }),
        )
        .min(1)
        .max(MOST_OBJECTS),
      unknown: z
        .boolean()
        .nullish()
        .meta({ description: 'Also what this service does not know; it may be another installation’s.' }),
    }),
  })
  .meta({ id: 'CleanupRemove' });
