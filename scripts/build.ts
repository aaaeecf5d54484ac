import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles the command into dist/, which `cli/volmove.js` takes when it is newer than the sources: the same code without the
 * type stripper, and without the parts of libraries that nothing uses, so that an agent is tens of megabytes smaller and starts sooner. npm
 * runs this after an install; without it everything works from the sources.
 */
const root = fileURLToPath(new URL('..', import.meta.url));

await rm(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { main: 'cli/main.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  sourcemap: 'linked',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // native addons, and what loads files of its own by path
  external: ['koffi', '@napi-rs/blake-hash', 'dynalite', 'fauxqs', 'pino', 'selfsigned'],
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
  logLevel: 'warning',
});
