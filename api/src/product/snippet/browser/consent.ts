// The consent control, a file of its own before the script: asks once, tells the server what was answered, asks again after
// half a year. A guest too: nothing of it is in the page but one region, while it is open; its words come when it opens.
import type { Mkt } from './core.ts';

const {
  src,
  dataset: { site },
} = document.currentScript as HTMLScriptElement;
const box = localStorage;
// The script's own keys go on with a colon (core.ts); ours do not, so that its tidying leaves them.
const own = '_mkt7' + site;
const modeKey = own + ':';
const idKey = own + ':id';

/** What was answered, and when. */
let [chosen, at] = (box[own + '?'] || '').split(' ') as [string, unknown];
// Half a year, somewhat shorter than any. Never answered is due too.
const isDue = !(Date.now() - (at as number) < 156e8);
// Before the script looks, since it stands after this: an agreement that ended is none, a refusal stays one; and an id,
// which begins with the half minute it was made in (core.ts), lives thirteen months, again somewhat less.
((isDue && box[modeKey] == 'full' && delete box[modeKey]) ||
  (box[idKey]?.slice(0, 8) as unknown as number) < Date.now() / 3e4 - 113e4) &&
  delete box[idKey];

/** Nothing of a request that fails reaches the page. */
const ask = (path: string, hear: (answer: Response) => unknown, options?: object) =>
  fetch(new URL('/v1/choices' + path, src), options)
    .then(hear)
    .catch(() => {});

// What nobody acknowledged yet is told again on the next page: each answer under a key of its own.
const tell = () =>
  Object.keys(box).map(
    (key) =>
      key.indexOf(own + '!') ||
      ask('', ({ status }) => /^5|408|42[59]/.test(status as unknown as string) || delete box[key], {
        method: 'POST',
        body: box[key],
        keepalive: 1,
      }),
  );

const make = (tag: string, fields: object, ...children: (Node | string)[]) => {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
};

let region: HTMLElement | undefined;
/** What opened it, which gets the focus back. */
let opener: HTMLElement | undefined;
const close = () => {
  region?.remove();
  opener?.focus();
};

// Neither an attribute nor an element of style: a strict policy of the page allows this.
const sheet = new CSSStyleSheet();

/** by  what was pressed; the region then takes the focus */
const open = (by?: HTMLElement) =>
  ask(
    '/control?' + new URLSearchParams({ propertyId: site || '', lang: document.documentElement.lang }),
    async (answer) => {
      const { lang, title, question, privacy, answers, style } = await answer.json();
      sheet.replaceSync(style);
      close();
      opener = by;
      region = make(
        'section',
        {
          id: 'mkt-consent',
          lang,
          ariaLabel: title,
          tabIndex: -1,
          // What a handler answers with false the browser does not do.
          onkeydown: ({ key }: KeyboardEvent) => key != 'Escape' || close(),
        },
        make('p', {}, question + ' ', make('a', privacy)),
        ...Object.keys(answers).map((mode) =>
          make('button', {
            type: 'button',
            textContent: answers[mode],
            ariaPressed: chosen ? mode == chosen : null,
            onclick: () => choose(mode),
          }),
        ),
      );
      document.body.prepend(region);
      by && region.focus();
    },
  );

const choose = (mode: string) => {
  // biome-ignore lint/performance/useDomNodeTextContent: what was to be seen, one below the other
  const words = region!.innerText;
  const ended = box[idKey];
  mkt.consent(mode);
  close();
  // Where storage is full it holds as long as the page.
  try {
    box[own + '?'] = (chosen = mode) + ' ' + (at = Date.now());
    box[own + '!' + at] = JSON.stringify({
      choiceId: at + '-' + Math.random(),
      mode,
      words,
      language: region!.lang,
      // Whom the agreement is of; or whose id has just been deleted.
      anonId: mode == 'full' ? mkt.id() : ended,
      chosenAt: at,
      propertyId: site,
    });
    tell();
  } catch {}
};

let mkt: Mkt;
const run = () => {
  mkt = self.mkt as Mkt;
  if (!(mkt as Partial<Mkt>)?.consent) setTimeout(run, 99);
  else if (!mkt.choose) {
    document.adoptedStyleSheets.push(sheet);
    mkt.choose = () => open(document.activeElement as HTMLElement);
    addEventListener('click', ({ target }) => {
      const by = (target as Element).closest?.<HTMLElement>('[data-mkt-consent]');
      by && open(by);
    });
    tell();
    isDue && !navigator.globalPrivacyControl && (navigator.doNotTrack as unknown) != 1 && open();
  }
};
run();
