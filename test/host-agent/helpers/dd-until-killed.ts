import { setTimeout as sleep } from 'node:timers/promises';
import { createChildren } from '../../../host-agent/children/child.ts';
import { runDd } from '../../../host-agent/dd/dd.ts';
import { openChildJournal } from '../../../host-agent/journal/children.ts';

/** A process of its own that runs a dd as an agent does, and prints its number once it is under way. */
const [directory = '', source = '', destination = '', sizeBytes = '0', paused = 'no'] = process.argv.slice(2);
const journal = await openChildJournal(directory);
let told = false;
const tell = async (): Promise<void> => {
  const [child] = await journal.all();
  if (!told && child) process.stdout.write(`${child.pid}\n`);
  told = true;
};

await runDd(createChildren({ journal, path: process.env.PATH ?? '' }), {
  source,
  destination,
  sizeBytes: Number(sizeBytes),
  destinationIsZero: false,
  onCopied: (bytes) => void (bytes > 0 && tell()),
  onResting: () => void tell(),
  isPaused: () => paused === 'yes',
  sleep: async (_, signal) => sleep(1, undefined, { signal }),
  signal: new AbortController().signal,
});
