// Which release this is: the one name that healthz, the status, manifests of backups, the OpenAPI document, the command line
// and the image's label say.
import { readFileSync } from 'node:fs';

const packaged: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version;

/**
 * The image's own name for itself comes first: an operator who reads it in a backup's manifest finds the image to restore
 * with by its label, which the Dockerfile fills from the same VERSION, by default the package's number. Whether a backup or
 * an upgrade fits is decided by the migrations each side knows, never by these names.
 * environment  handed on by config.ts, or by the command line, which says its release without needing any setting
 */
export function releaseOf({ APP_VERSION }: { APP_VERSION?: string | undefined }): string {
  return APP_VERSION?.trim() || packaged;
}
