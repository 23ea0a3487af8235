// What a file is, to the byte.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const PIECE_BYTES = 1 << 18;

/**
 * A file may be larger than our memory: one buffer is filled again and again. A stream makes a new one for each piece, and
 * of a dump of 200 MB some 60 MB of those lay there at once before anybody collected them.
 */
export async function digestFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, null);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
