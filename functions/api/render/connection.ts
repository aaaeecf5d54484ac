import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';

/** Where the bytes are. `device_path` is null: only the host's own agent knows where its backend shows an object. */
export const renderConnection = ({ id, location }: Volume): object => {
  if (!location) throw volmoveError('InvalidVolume', { reason: `Volume ${id} has no location` });
  return {
    driver_volume_type: 'local',
    data: {
      device_path: null,
      host: location.hostId,
      backend: location.backend,
      pool: location.pool,
      object_name: location.objectName,
      object_id: location.objectId,
      access_mode: 'rw',
      discard: true,
    },
  };
};
