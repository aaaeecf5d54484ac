import type { Failure } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { PublicRequest } from '../http/exchange.ts';
import { hrefOf } from '../http/links.ts';
import { standardTime } from './time.ts';

export interface Told {
  readonly volume: Volume;
  readonly failure: Failure;
  /** Hosts, pools and programs are named to administrators alone. */
  readonly inFull: boolean;
}

const whole = (text: string): string => text.replace(/[.!?]?$/, '.');

const textOf = ({ volume, failure, inFull }: Told): string =>
  inFull
    ? `${whole(failure.message)} ${failure.remedy}`
    : `The volume is ${volume.status} (${failure.code}). An administrator can see the reason: volmove show, or this message.`;

/** A user message in the standard's keys. It is the volume's, so it has its id; the text says what to do, too. */
export const renderMessage = (told: Told, { links }: PublicRequest): object => {
  const { volume, failure } = told;
  return {
    id: volume.id,
    request_id: '',
    message_level: 'ERROR',
    event_id: `VOLUME_VOLUME_${failure.code}`,
    user_message: textOf(told),
    resource_type: 'VOLUME',
    resource_uuid: volume.id,
    created_at: standardTime(volume.updatedAtMs),
    guaranteed_until: null,
    links: [
      { rel: 'self', href: hrefOf(links, `/messages/${volume.id}`) },
      { rel: 'bookmark', href: `${links.origin}${links.prefix.replace(/^\/v3/, '')}/messages/${volume.id}` },
    ],
  };
};
