// Server-Sent Events as a browser reads them.

export interface SentEvent {
  id: string | null;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of every shape
  data: any;
}

/** Those with data, one after the other, until the stream ends. The place that a browser would come back to is `id`. */
export async function* eventsOf(answer: Response): AsyncGenerator<SentEvent, undefined> {
  let text = '';
  let id: string | null = null;
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map<string, string>();
      for (const line of text.slice(0, end).split('\n')) {
        const [name = '', value = ''] = line.split(/: (.*)/s);
        fields.set(name, value);
      }
      text = text.slice(end + 2);
      const own = fields.get('id') ?? null;
      id = own ?? id;
      const data = fields.get('data');
      if (data) yield { id: own, event: fields.get('event') ?? 'message', data: JSON.parse(data) };
    }
  }
  return undefined;
}
