// marketing version: which release this is, without needing any setting.
import { releaseOf } from '../../ground/lib/version.ts';
import { print } from './print.ts';

export const showVersion = (): void => print(releaseOf(process.env));
