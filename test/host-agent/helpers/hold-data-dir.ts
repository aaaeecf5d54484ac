import { openDataDir } from '../../../local/data-dir.ts';

/** A process of its own that takes a data directory and keeps it until it is killed. */
const { id } = await openDataDir(process.argv[2] ?? '');
process.stdout.write(`${id}\n`);
setInterval(() => undefined, 60_000);
