import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';

/** Where the bytes are, as a guest on the volume's host finds them. */
export const renderConnection = ({ id, location }: Volume, devicePath: string | null): object => {
  if (!location) throw volmoveError('InvalidVolume', { reason: `Volume ${id} has no location` });
  return {
    driver_volume_type: 'local',
    data: {
      device_path: devicePath,
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
