import * as z from 'zod';
import { description, flag, line, metadata, name } from '../http/fields.ts';

/** Body of manage, as strict as the standard's. */

const ref = z
  .union([z.looseObject({ 'source-name': line.nullish(), 'source-id': line.nullish() }), z.string()], {
    error: "is not of type 'object', 'string'",
  })
  .meta({ description: 'By the name that a listing tells (source-name), or by the backend’s own id (source-id).' });

export const MANAGE = z
  .strictObject({
    volume: z.strictObject({
      host: line.nullish().meta({ description: 'host@backend#pool' }),
      cluster: line.nullish(),
      ref,
      name: name.nullish(),
      description: description.nullish(),
      volume_type: line.nullish(),
      availability_zone: line.nullish(),
      metadata: metadata.nullish(),
      bootable: flag.nullish(),
    }),
  })
  .meta({ id: 'VolumeManage' });
