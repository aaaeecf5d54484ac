import type { Failure } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { PublicRequest } from '../http/exchange.ts';
import { hrefOf } from '../http/links.ts';
import { standardTime } from './time.ts';

export interface Told {
  readonly volume: Volume;
  readonly failure: Failure;
}

/** A user message in the standard's keys. It is the volume's, so it has its id; the text says what to do, too. */
export const renderMessage = ({ volume, failure }: Told, { links }: PublicRequest): object => ({
  id: volume.id,
  request_id: '',
  message_level: 'ERROR',
  event_id: `VOLUME_VOLUME_${failure.code}`,
  user_message: `${failure.message.replace(/[.!?]?$/, '.')} ${failure.remedy}`,
  resource_type: 'VOLUME',
  resource_uuid: volume.id,
  created_at: standardTime(volume.updatedAtMs),
  guaranteed_until: null,
  links: [
    { rel: 'self', href: hrefOf(links, `/messages/${volume.id}`) },
    { rel: 'bookmark', href: `${links.origin}${links.prefix.replace(/^\/v3/, '')}/messages/${volume.id}` },
  ],
});
