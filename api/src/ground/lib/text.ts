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
