/** Files of the project, wherever it is checked out and whatever directory the app is started in. */
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..');

export const projectFile = (relative: string): string => join(projectRoot, relative);
