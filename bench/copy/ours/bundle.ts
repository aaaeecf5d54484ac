import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Our program as an agent runs it: one bundle of the sources as they are now (scripts/build.ts makes the product's the same
 * way), so that what is measured is the copy and neither the type stripper nor an edit in the middle of a run.
 */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Bundle {
  readonly path: string;
  remove(): Promise<void>;
}

export const bundleOurs = async (unique: string): Promise<Bundle> => {
  // below node_modules, where the native addons are found
  const directory = join(ROOT, 'node_modules', '.cache', `volmove-bench-${unique}`);
  const path = join(directory, 'ours.mjs');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { ours: fileURLToPath(new URL('main.ts', import.meta.url)) },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: ['koffi', '@napi-rs/blake-hash', 'selfsigned'],
    logLevel: 'warning',
  });
  return { path, remove: () => rm(directory, { recursive: true, force: true }) };
};
