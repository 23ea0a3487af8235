// Reads multipart/form-data while it comes: its fields are kept, its files are counted and dropped, nothing touches a disk.
import type { Readable } from 'node:stream';
import { AppError } from '../lib/app-error.ts';
import { formTooLarge, type RawField } from './form-fields.ts';

export interface Multipart {
  fields: RawField[];
  /** Names of the fields that held a file; an empty file field is none. */
  files: string[];
}

const HEADER_BYTES_MAX = 4096;
const LINE = '\r\n';
const BLANK_LINE = Buffer.from('\r\n\r\n');

const unreadable = (message: string) => new AppError('invalid_request', message);

/** The boundary that a Content-Type names; null: it names none. */
export function boundaryIn(contentType: string): string | null {
  const found = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s]{1,200}))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

/** name="…" of a header, as bytes in latin1; browsers write " as %22 and line ends as %0D%0A. */
function parameter(header: string, name: string): string | null {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, 'i').exec(header);
  if (!found) return null;
  const text = found[1]?.replace(/\\(["\\])/g, '$1') ?? found[2]!;
  return text.replace(/%(22|0D|0A)/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

interface Part {
  name: string;
  isFile: boolean;
  isEmpty: boolean;
  pieces: Buffer[];
}

/** A part with a filename is a file, and bytes of no type are: scripts give other types to plain fields too. */
function partOf(headers: string): Part {
  const disposition = headers.split(LINE).find((line) => /^content-disposition\s*:/i.test(line)) ?? '';
  const name = parameter(disposition, 'name') ?? '';
  const isFile =
    /;\s*filename\*?\s*=/i.test(disposition) ||
    /^content-type\s*:\s*application\/octet-stream/im.test(headers);
  return { name, isFile, isEmpty: true, pieces: [] };
}

export interface MultipartBounds {
  /** Of all names and values together, which are held in memory. */
  fieldsBytesMax: number;
  /** Of everything, with the files. */
  bytesMax: number;
}

/** Takes the bytes as they come. throws  payload_too_large; invalid_request, when it is not written as it should be */
export class MultipartReader {
  readonly result: Multipart = { fields: [], files: [] };
  readonly #delimiter: Buffer;
  readonly #bounds: MultipartBounds;
  #state: 'before' | 'boundary' | 'headers' | 'body' | 'end' = 'before';
  #rest: Buffer = Buffer.from(LINE); // the first delimiter may begin the body
  #part: Part | null = null;
  #bytes = 0;
  #fieldsBytes = 0;

  constructor(boundary: string, bounds: MultipartBounds) {
    this.#delimiter = Buffer.from(`${LINE}--${boundary}`, 'latin1');
    this.#bounds = bounds;
  }

  write(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bounds.bytesMax) throw formTooLarge();
    if (this.#state === 'end') return; // what follows is nothing
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#step());
  }

  end(): Multipart {
    if (this.#state !== 'end') throw unreadable('The form ended before it was whole. Send it again.');
    return this.result;
  }

  /** One step on; false: more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case 'boundary':
        return this.#afterBoundary();
      case 'headers':
        return this.#readHeaders();
      case 'end':
        return false;
      default:
        return this.#readBody();
    }
  }

  #readBody(): boolean {
    const at = this.#rest.indexOf(this.#delimiter);
    // what may be the beginning of a delimiter waits for the rest of it
    const end = at < 0 ? Math.max(0, this.#rest.length - this.#delimiter.length + 1) : at;
    this.#take(this.#rest.subarray(0, end));
    this.#rest = this.#rest.subarray(at < 0 ? end : end + this.#delimiter.length);
    if (at < 0) return false;
    this.#close();
    this.#state = 'boundary';
    return true;
  }

  #afterBoundary(): boolean {
    if (this.#rest.length < 2) return false;
    if (this.#rest.toString('latin1', 0, 2) === '--') {
      this.#state = 'end';
      return false;
    }
    const at = this.#rest.indexOf(LINE);
    if (at < 0 && this.#rest.length > HEADER_BYTES_MAX)
      throw unreadable('The form is not written as multipart/form-data should be.');
    if (at < 0) return false;
    this.#rest = this.#rest.subarray(at); // for a part without headers this line end is half its blank line
    this.#state = 'headers';
    return true;
  }

  #readHeaders(): boolean {
    const at = this.#rest.indexOf(BLANK_LINE);
    if (at > HEADER_BYTES_MAX || (at < 0 && this.#rest.length > HEADER_BYTES_MAX))
      throw unreadable('A field of the form has headers that are too long.');
    if (at < 0) return false;
    this.#part = partOf(this.#rest.toString('latin1', 0, at));
    this.#count(this.#part.name.length);
    this.#rest = this.#rest.subarray(at + BLANK_LINE.length);
    this.#state = 'body';
    return true;
  }

  #count(bytes: number): void {
    this.#fieldsBytes += bytes;
    if (this.#fieldsBytes > this.#bounds.fieldsBytesMax) throw formTooLarge();
  }

  #take(piece: Buffer): void {
    if (!this.#part || piece.length === 0) return;
    this.#part.isEmpty = false;
    if (this.#part.isFile) return;
    this.#count(piece.length);
    this.#part.pieces.push(Buffer.from(piece));
  }

  #close(): void {
    const part = this.#part;
    this.#part = null;
    if (!part) return;
    if (!part.isFile) this.result.fields.push([Buffer.from(part.name, 'latin1'), Buffer.concat(part.pieces)]);
    else if (!part.isEmpty) this.result.files.push(part.name);
  }
}

/**
 * Not `for await`: leaving it early would hang up on the sender before the refusal is said.
 * throws  what MultipartReader does, and the fault of a sender that went away
 */
export function readMultipart(
  source: Readable,
  boundary: string,
  bounds: MultipartBounds,
): Promise<Multipart> {
  const reader = new MultipartReader(boundary, bounds);
  return new Promise((resolve, reject) => {
    const stop = () => {
      source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', fail);
      source.resume(); // what is still coming is let go by: the refusal can be read only after it
    };
    const fail = (error: unknown) => {
      stop();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        reader.write(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = () => {
      stop();
      try {
        resolve(reader.end());
      } catch (error) {
        reject(error);
      }
    };
    const onClose = () => fail(Object.assign(new Error('the sender went away'), { type: 'request.aborted' }));
    source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', fail);
  });
}
