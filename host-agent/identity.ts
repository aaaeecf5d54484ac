import { join } from 'node:path';
import { readDurable, writeDurable } from '../local/durable-file.ts';
import { type Certificate, createCertificate } from './nbd/certificate.ts';

/** The agent's certificate and the port of its exports: made at its first start, the same ever after, so that peers find it again. */

export const loadCertificate = async (dataDir: string, hostId: string, nowMs: number): Promise<Certificate> => {
  const file = join(dataDir, 'certificate.json');
  const known = (await readDurable(file)) as Certificate | undefined;
  if (known) return known;
  const made = await createCertificate(`volmove-agent-${hostId}`, nowMs);
  await writeDurable(file, made);
  return made;
};

export const rememberedPort = async (dataDir: string): Promise<number> => {
  const known = (await readDurable(join(dataDir, 'port.json'))) as { port: number } | undefined;
  return known?.port ?? 0;
};

export const rememberPort = (dataDir: string, port: number): Promise<void> =>
  writeDurable(join(dataDir, 'port.json'), { port });
