// HTML whose holes are escaped by how it is written: html`<p>${text}</p>`.

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);

/** Only html`` makes one, so whoever takes it takes nothing unescaped. */
export class Html {
  readonly #text: string;
  constructor(strings: TemplateStringsArray, holes: readonly Hole[]) {
    this.#text = strings.map((text, i) => text + (i < holes.length ? fill(holes[i]) : '')).join('');
  }
  toString(): string {
    return this.#text;
  }
}

type Hole = Html | string | number | null | undefined | false | readonly Hole[];

function fill(hole: Hole): string {
  if (hole === null || hole === undefined || hole === false) return '';
  if (hole instanceof Html) return hole.toString();
  if (Array.isArray(hole)) return hole.map(fill).join('');
  return escaped(String(hole));
}

/** A hole may be text (escaped, also as a quoted attribute), more HTML, a list of both, or nothing. */
export const html = (strings: TemplateStringsArray, ...holes: Hole[]): Html => new Html(strings, holes);
