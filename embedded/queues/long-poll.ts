import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FauxqsApp, SqsReply } from './fauxqs-app.ts';

/**
 * ReceiveMessage for callers that may vanish. fauxqs would let a vanished long-poller take the next message, which then stays
 * hidden until its visibility time-out. So a long poll is a row of short ones, ended when the caller goes; what the last of
 * them still caught is put back at once, and only its receive count shows it.
 */

const SLICE_SECONDS = 0.5;
/** SQS's own maximum. */
const MAX_WAIT_SECONDS = 20;

export interface ReceiveBody {
  readonly QueueUrl?: unknown;
  readonly WaitTimeSeconds?: unknown;
}

export const receive = async (
  app: FauxqsApp,
  body: ReceiveBody,
  signal: AbortSignal,
  nowMs: () => number,
): Promise<SqsReply> => {
  const waitSeconds = body.WaitTimeSeconds;
  if (typeof waitSeconds !== 'number' || waitSeconds <= SLICE_SECONDS || waitSeconds > MAX_WAIT_SECONDS) {
    return putBackIfGone(app, body, await app.call('ReceiveMessage', body), signal);
  }
  const untilMs = nowMs() + waitSeconds * 1000;
  for (;;) {
    const leftSeconds = Math.max(0, Math.min(SLICE_SECONDS, (untilMs - nowMs()) / 1000));
    const reply = await app.call('ReceiveMessage', { ...body, WaitTimeSeconds: leftSeconds });
    if (reply.status !== 200 || receiptHandles(reply).length > 0 || leftSeconds === 0 || signal.aborted) {
      return putBackIfGone(app, body, reply, signal);
    }
  }
};

const putBackIfGone = async (
  app: FauxqsApp,
  { QueueUrl }: ReceiveBody,
  reply: SqsReply,
  signal: AbortSignal,
): Promise<SqsReply> => {
  // a hang-up that the system has noted already is seen within this turn
  await nextTurn();
  if (!signal.aborted) return reply;
  for (const ReceiptHandle of receiptHandles(reply)) {
    await app.call('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
  }
  return { status: 200, body: {} };
};

const receiptHandles = ({ body }: SqsReply): readonly string[] =>
  'Messages' in body && Array.isArray(body.Messages)
    ? body.Messages.map((message: { ReceiptHandle: string }) => message.ReceiptHandle)
    : [];
