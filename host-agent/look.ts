import {
  DeleteMessageBatchCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/**
 * Reasons to look: a message on the host's queue, deleted as soon as it is read, or the time between two looks. The agent
 * polls always, also when every slot is taken, so that wishes reach jobs that run.
 */
export interface Looks {
  next(signal: AbortSignal): Promise<void>;
  /** Polls until the signal. */
  poll(signal: AbortSignal): Promise<void>;
}

export interface LookDeps {
  readonly client: SQSClient;
  /** The host's queue; asked again when it has gone, as an embedded cloud's queues do with a restart. */
  readonly queueUrl: () => Promise<string>;
  readonly everyMs: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

const WAIT_SECONDS = 20;
const PAUSE_AFTER_PROBLEM_MS = 1_000;

export const createLooks = (deps: LookDeps): Looks => {
  let message = new AbortController();
  let known: string | undefined;

  const receive = async (signal: AbortSignal): Promise<void> => {
    known ??= await deps.queueUrl();
    const command = new ReceiveMessageCommand({
      QueueUrl: known,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: WAIT_SECONDS,
    });
    const { Messages = [] } = await deps.client.send(command, { abortSignal: signal });
    if (Messages.length === 0) return;
    message.abort();
    const Entries = Messages.map((m, i) => ({ Id: String(i), ReceiptHandle: m.ReceiptHandle }));
    await deps.client.send(new DeleteMessageBatchCommand({ QueueUrl: known, Entries }), {
      abortSignal: signal,
    });
  };

  return {
    async next(signal) {
      await deps.sleep(deps.everyMs, AbortSignal.any([signal, message.signal])).catch(() => undefined);
      if (message.signal.aborted) message = new AbortController();
    },
    async poll(signal) {
      let retriedAtOnce = false;
      while (!signal.aborted) {
        try {
          await receive(signal);
          retriedAtOnce = false;
        } catch (error) {
          if (signal.aborted) return;
          known = undefined;
          if (error instanceof QueueDoesNotExist && !retriedAtOnce) {
            retriedAtOnce = true;
            continue;
          }
          deps.onProblem('polling the queue', error);
          await deps.sleep(PAUSE_AFTER_PROBLEM_MS, signal).catch(() => undefined);
        }
      }
    },
  };
};
