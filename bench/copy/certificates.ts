import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/**
 * Certificates for both sides of the TLS cases, under the names that GnuTLS tools look for in one directory. They insist on an
 * authority (an agent does not), so one signs both; keys are of the same kind as an agent's.
 */
const DAY_MS = 86_400_000;

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>;

const AUTHORITY: Extensions = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, critical: true },
];

/** The server's name is what clients are told to expect. */
const end = (name: string): Extensions => [
  { name: 'basicConstraints', cA: false, critical: true },
  { name: 'keyUsage', digitalSignature: true, critical: true },
  { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
  { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
];

export const makeCertificates = async (directory: string, nowMs: number): Promise<void> => {
  const options = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + 7 * DAY_MS),
  } as const;
  const named = (value: string) => [{ name: 'commonName', value }];
  const authority = await generate(named('volmove bench authority'), { ...options, extensions: AUTHORITY });
  const ca = { key: authority.private, cert: authority.cert };
  await mkdir(directory);
  const write = (name: string, pem: string): Promise<void> =>
    writeFile(join(directory, `${name}.pem`), pem, { mode: 0o600 });
  await write('ca-cert', authority.cert);
  for (const [side, name] of [
    ['server', 'localhost'],
    ['client', 'volmove-bench'],
  ] as const) {
    const made = await generate(named(name), { ...options, ca, extensions: end(name) });
    await write(`${side}-cert`, made.cert);
    await write(`${side}-key`, made.private);
  }
};
