import { copy, openDestination, openSource, readBack } from './copying.ts';
import { report } from './outcome.ts';

/** A local copy, with its proof when it is asked for. */
export const copyFile = async (
  sourcePath: string,
  destinationPath: string,
  { digest, verify, retained }: { digest: boolean; verify: boolean; retained: boolean },
): Promise<void> => {
  const source = await openSource(sourcePath);
  const destination = await openDestination(destinationPath);
  const copied = await copy(source, destination, { digest: digest || verify, retained });
  await destination.close();
  if (verify && (await readBack(destinationPath, source.sizeBytes)) !== copied.digest)
    throw new Error('what was read back is not what was copied');
  await source.close();
  report([copied.digest], copied.bytes.written);
};
