// Shortening of texts, in one place.

/**
 * The first so many characters (UTF-16 units, as everything here counts them), never half of one: half a letter is a text that no
 * UTF-8 can hold, and PostgreSQL refuses the row that has it.
 */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, lengthMax);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** As much of a text as fits, never half a character. */
export function cutBytes(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text; // a UTF-16 unit has three bytes at most
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
