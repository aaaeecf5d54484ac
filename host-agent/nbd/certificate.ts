import { X509Certificate } from 'node:crypto';

/** Each agent makes its own certificate at its first start; peers know it by its fingerprint and by nothing else. */
export interface Certificate {
  readonly keyPem: string;
  readonly certPem: string;
  /** SHA-256 of the certificate, lower-case hex without colons. */
  readonly fingerprint: string;
}

const VALID_YEARS = 30;

export const fingerprintOf = (fingerprint256: string): string => fingerprint256.replaceAll(':', '').toLowerCase();

export const createCertificate = async (commonName: string, nowMs: number): Promise<Certificate> => {
  // needed once in the life of an agent: not worth its memory ever after
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - 86_400_000),
    notAfterDate: new Date(nowMs + VALID_YEARS * 365 * 86_400_000),
  });
  return {
    keyPem: made.private,
    certPem: made.cert,
    fingerprint: fingerprintOf(new X509Certificate(made.cert).fingerprint256),
  };
};
