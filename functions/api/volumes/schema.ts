import * as z from 'zod';
import { MAX_SIZE_GIB } from '../../../domain/volume/volume.ts';
import { description, line, metadata, name } from '../http/fields.ts';

/** Bodies of volumes. Clients send every key they know, most of them null; only what volmove cannot do is refused. */

const sizeText = z
  .string()
  .regex(/^\d{1,9}$/, { error: "is not of type 'integer'" })
  .transform(Number);

const size = z
  .union([z.number(), sizeText], { error: "is not of type 'integer', 'string'" })
  .pipe(z.int().min(1).max(MAX_SIZE_GIB));

const hints = z
  .looseObject({ volmove_pool: line.nullish().meta({ description: 'host@backend#pool to make the volume in' }) })
  .nullish();

const texts = {
  name: name.nullish(),
  description: description.nullish(),
  display_name: name.nullish(),
  display_description: description.nullish(),
  metadata: metadata.nullish(),
};

export const CREATE = z
  .looseObject({
    volume: z.looseObject({
      size,
      ...texts,
      availability_zone: line.nullish(),
      volume_type: line.nullish(),
      multiattach: z.unknown().optional(),
      'OS-SCH-HNT:scheduler_hints': hints,
    }),
    'OS-SCH-HNT:scheduler_hints': hints,
  })
  .meta({ id: 'VolumeCreate' });

export const UPDATE = z.looseObject({ volume: z.looseObject(texts) }).meta({ id: 'VolumeUpdate' });
