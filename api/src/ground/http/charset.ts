// Reads bytes as the text they are: in the character set they say, else UTF-8, else what old pages in the West write.
import { TextDecoder } from 'node:util';
import { AppError } from '../lib/app-error.ts';

const OLD_PAGES = 'windows-1252'; // a browser reads a page that says nothing as this, and sends its forms so
const isUtf8 = (label: string) => /^utf-?8$/i.test(label);

/** returns null for a label that nobody knows */
export function decoderOf(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label.trim());
  } catch {
    return null;
  }
}

/** The charset that a Content-Type names; '' when it names none. */
export const charsetIn = (contentType: string | undefined): string =>
  /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? '';

/** throws  unsupported_media_type */
export function knownDecoder(label: string): TextDecoder {
  const decoder = decoderOf(label);
  if (decoder) return decoder;
  throw new AppError(
    'unsupported_media_type',
    'The body has a character set we do not know. Send it as UTF-8.',
  );
}

/**
 * The character set in which all of these texts are read.
 * said    '' when nobody said one
 * throws  unsupported_media_type, when it is none that we know
 */
export function charsetFor(texts: readonly Buffer[], said: string): TextDecoder {
  if (said && !isUtf8(said)) return knownDecoder(said);
  const strict = new TextDecoder('utf-8', { fatal: true });
  try {
    for (const bytes of texts) strict.decode(bytes);
    return new TextDecoder();
  } catch {
    return new TextDecoder(OLD_PAGES); // also where a template says UTF-8 and its page is none
  }
}

/** throws  unsupported_media_type */
export const textOf = (bytes: Buffer, said: string): string => charsetFor([bytes], said).decode(bytes);
