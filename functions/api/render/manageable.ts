import { sizeGib } from '../../../domain/volume/volume.ts';
import type { Manageable } from '../manage/list.ts';

/** What could be taken over, in the standard's keys. Its `extra_info` is a text: there the exact size and the backend's id go. */

export const renderManageableSummary = ({ object, reasonNot }: Manageable): object => ({
  reference: { 'source-name': object.objectName },
  size: sizeGib(object),
  safe_to_manage: reasonNot === null,
});

export const renderManageable = (manageable: Manageable): object => {
  const { object, managed, reasonNot } = manageable;
  return {
    ...renderManageableSummary(manageable),
    reason_not_safe: reasonNot,
    cinder_id: managed?.volumeId ?? null,
    extra_info: `bytes=${object.sizeBytes}, source-id=${object.objectId}`,
  };
};
