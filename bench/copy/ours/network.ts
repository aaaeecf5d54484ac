/** How our two processes find each other on loopback. */
export interface Network {
  readonly port: number;
  readonly tlsDirectory: string | undefined;
}

export const exportOf = (index: number): string => `disk.${index}`;
