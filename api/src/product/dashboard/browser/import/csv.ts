// A table as rows of texts, piece by piece: quotes, line ends in them, a byte order mark, UTF-16. Pure.

/** The text of a stream, in pieces. */
export async function* textOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  let decoder: TextDecoder | null = null;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    decoder ??= new TextDecoder(value[0] === 0xff && value[1] === 0xfe ? 'utf-16le' : 'utf-8');
    yield decoder.decode(value, { stream: true });
  }
  const rest = decoder?.decode();
  if (rest) yield rest;
}

/** Rows as they come, many at a time. Lines that begin with # before the first row are none. */
export async function* rowsOf(text: AsyncIterable<string>): AsyncGenerator<string[][]> {
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  let wasQuote = false;
  let isAny = false;
  for await (const piece of text) {
    const rows: string[][] = [];
    const end = () => {
      row.push(cell);
      const isBlank = row.length === 1 && row[0] === '';
      if (!isBlank && (isAny || !row[0]!.startsWith('#'))) {
        rows.push(row);
        isAny = true;
      }
      row = [];
      cell = '';
    };
    for (const sign of piece) {
      if (wasQuote) {
        wasQuote = false;
        if (sign === '"') {
          cell += sign;
          continue;
        }
        quoted = false;
      }
      if (quoted) {
        if (sign === '"') wasQuote = true;
        else cell += sign;
      } else if (sign === '"' && cell === '') quoted = true;
      else if (sign === ',') {
        row.push(cell);
        cell = '';
      } else if (sign === '\n') end();
      else if (sign !== '\r' && sign !== '\ufeff') cell += sign;
    }
    if (rows.length > 0) yield rows;
  }
  if (cell !== '' || row.length > 0) yield [[...row, cell]];
}
