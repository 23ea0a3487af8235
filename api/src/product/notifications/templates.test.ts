// Templates: tokens and CSS that paint and nothing else, readable on their ground, printed anew.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { COUNT, feedOf, newSite, orders, running } from '../../../test/claims.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { type Color, contrast, functionColor, hexColor } from './looks/colors.ts';
import { printCss } from './looks/css.ts';
import { printTokens } from './looks/print.ts';
import { tokensShape } from './looks/tokens.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  const { siteId } = server.services.sites.fallback();
  await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { origins: ['https://bakery.example'] }, admin);
});
after(() => server.end());

const at = (path = '') => `${server.url}/v1/sites/default/templates${path}`;
const make = (more: object = {}) => call(at(), 'POST', { name: 'warm', ...more }, admin);
const TOKENS = tokensShape.parse({});

/** The first fault of a piece of CSS; null: none. */
function fault(css: string): string | null {
  try {
    printCss(css, TOKENS);
    return null;
  } catch (error) {
    return (error as { issues: { message: string }[] }).issues[0]!.message;
  }
}

test('a template is made, changed by version, and goes when nothing looks like it', async () => {
  const { status, body, headers } = await make({
    css: '/* warm */ .mk-card { PADDING: calc(1rem + 2px) ; background : linear-gradient(to right, VAR(--mk-background), var(--mk-background) 50%) }\n.mk-link:hover{color:var(--mk-text)}',
  });
  assert.deepEqual([status, headers.get('etag')], [201, '"1"'], JSON.stringify(body));
  const { templateId, css, tokens } = body.template;
  assert.equal(
    css,
    '.mk-card{padding:18px;background:linear-gradient(to right,var(--mk-background),var(--mk-background) 50%);}.mk-link:hover{color:var(--mk-text);}',
  );
  assert.deepEqual(tokens, TOKENS);
  const change = (version: number, more: object) =>
    call(at(`/${templateId}`), 'PATCH', more, { ...admin, 'if-match': `"${version}"` });
  assert.equal((await change(2, { name: 'x' })).body.error, 'precondition_failed');
  assert.equal((await change(1, { css: null })).body.template.css, null);
  const remove = (version: number) =>
    call(at(`/${templateId}`), 'DELETE', undefined, { ...admin, 'if-match': `"${version}"` });
  const used = {
    kind: 'count',
    name: 'n',
    claim: { of: 'leads' },
    texts: { en: { other: '{count} in {days} days' } },
    templateId,
  };
  const notifications = `${server.url}/v1/sites/default/notifications`;
  const { notification } = (await call(notifications, 'POST', used, admin)).body;
  assert.equal((await remove(2)).status, 409);
  const path = `${notifications}/${notification.notificationId}`;
  assert.equal((await call(path, 'DELETE', undefined, { ...admin, 'if-match': '"1"' })).status, 200);
  assert.equal((await remove(2)).status, 200);
});

test('a colour is printed as a number, which every browser reads as we did', () => {
  const css =
    '@media (prefers-color-scheme:light){.mk-text{color:oklch(.3 .1 250deg);border-color:HSL(210 50% 40%);}}';
  assert.match(
    printCss(css, TOKENS),
    /^@media \(prefers-color-scheme:light\)\{\.mk-text\{color:#[0-9a-f]{6};border-color:#336699;\}\}$/,
  );
});

test('our print of a print is the print', () => {
  const css =
    '.mk-card{padding:18px;border:1px solid var(--mk-border);}@media (prefers-color-scheme:dark){.mk-text{color:#fff;}}';
  assert.equal(printCss(css, TOKENS), css);
});

test('what loads, moves, hides or reaches out of the card is refused where it stands', () => {
  const cases: [string, RegExp][] = [
    ['.mk-card{background:url(https://x.example/a.png)}', /^line 1, column 21: background url\(\)/],
    ['.mk-card{\n  position: fixed;\n}', /^line 2, column 3: position is not allowed/],
    ['.mk-text{opacity:.5}', /between 0.6 and 1/],
    ['.mk-text{content:"9"}', /content is not allowed/],
    ['.mk-close{opacity:.8}', /opacity is not allowed for \.mk-close/],
    ['.mk-text,.mk-receipt{font-size:12px}', /font-size is not allowed for \.mk-receipt/],
    ['.mk-text{font-size:1px}', /between 12px and 24px/],
    ['.mk-text{font-size:calc(1rem - 9px)}', /between 12px and 24px/],
    ['.mk-text{font-size:min(16px,2px)}', /between 12px and 24px/],
    ['.mk-text{letter-spacing:-9px}', /between -0.5px/],
    ['.mk-text{font-size:3vw}', /unit vw/],
    ['.mk-card{display:none}', /display is not allowed/],
    ['.mk-card{color:#fff !important}', /!important/],
    ['body{color:red}', /no selector of ours/],
    ['.mk-card > *{color:red}', /no selector of ours/],
    ['.mk-card:has(a){color:red}', /no selector of ours/],
    ['.mk-card{--mk-text:red}', /--mk-text is not allowed/],
    ['.mk-card{color:var(--page)}', /no colour of ours/],
    ['.mk-card{color:var(--mk-text,red)}', /no colour of ours/],
    ['.mk-card{color:var(--mk-radius)}', /no colour of ours/],
    ['.mk-card{border-radius:var(--mk-text)}', /no length of ours: --mk-radius, --mk-width/],
    ['.mk-text{padding:var(--mk-width)}', /between 0px and 8px/],
    ['.mk-text{letter-spacing:calc(var(--mk-radius) * 2)}', /between -0.5px and 3px/],
    ['.mk-text{font-weight:var(--mk-radius)}', /no number/],
    ['.mk-card{background:#fff8}', /no colour of ours/],
    ['.mk-text{color:rgb(0 0 0 / 10%)}', /without transparency/],
    ['.mk-card{box-shadow:inset 0 0 0 99px red}', /shadow/],
    ['@import "https://x.example";', /@import is not allowed/],
    ['@media print{.mk-card{color:#000}}', /@media is not allowed/],
    ['@font-face{src:url(x)}', /@font-face is not allowed/],
    ['.mk-card{.mk-text{color:#000}}', /rules do not stand in rules/],
    ['.mk-card{color:\\72 ed}', /character that no value/],
    ['.mk-card{color:', /^line 1, column \d+: /],
    [`.mk-card{color:#000;${' '.repeat(9000)}}`, /at most 8192 bytes/],
  ];
  for (const [css, expected] of cases) assert.match(fault(css) ?? 'taken', expected, css);
});

test('what could cover, crowd out or blind the close button and the receipt is refused where it stands', () => {
  const cases: [string, RegExp][] = [
    // what browsers leave out, so that another declaration holds than the one that was read
    ['.mk-card{background:#000;background-image:#fff;color:#000}', /^line 1, column 43: background-image/],
    ['.mk-card{background:linear-gradient(to left left,#fff,#fff)}', /no direction/],
    ['.mk-card{background:linear-gradient(1.2.3deg,#fff,#fff)}', /no direction/],
    ['.mk-card{background:linear-gradient(#fff 5,#fff)}', /no place of a colour/],
    ['.mk-card{border:1px 2px solid #000}', /width, style, colour/],
    ['.mk-card{box-shadow:0 0 -9px #000}', /between 0px and 40px/],
    // painted out of its own box
    [
      '.mk-text{background:#000;color:#fff;box-shadow:0 0 0 40px #000}',
      /box-shadow is not allowed for \.mk-text/,
    ],
    ['.mk-link,.mk-receipt{box-shadow:0 0 0 40px #000}', /box-shadow is not allowed for \.mk-link/],
    ['.mk-close{box-shadow:0 0 0 40px #000}', /box-shadow is not allowed for \.mk-close/],
    ['.mk-text{outline:6px solid #fff;outline-offset:8px}', /outline is not allowed for \.mk-text/],
    ['.mk-logo{outline-width:6px}', /outline-width is not allowed for \.mk-logo/],
    ['.mk-receipt{outline:6px solid #fff}', /between 1px and 2px/],
    ['.mk-link{outline-offset:8px}', /between 0px and 2px/],
    ['.mk-card,.mk-link{outline-offset:8px}', /between 0px and 2px/],
    ['.mk-text{text-decoration-thickness:4px}', /between 1px and 2px/],
    ['.mk-text{text-underline-offset:6px}', /between 0px and 3px/],
    ['.mk-text{text-decoration-style:wavy}', /one of solid, dashed, dotted/],
    // too large for the room beside them
    ['.mk-text{padding:32px}', /between 0px and 8px/],
    ['.mk-logo{padding-inline:1px}', /padding-inline is not allowed for \.mk-logo/],
    ['.mk-link{border:8px solid #000}', /between 0px and 2px/],
    ['.mk-close{border-width:8px}', /between 0px and 2px/],
    ['.mk-close{border:solid #000}', /needs its width/],
    // 3 px, as browsers like, where no width stands with it
    [
      '.mk-link{border-style:solid}',
      /border-style needs its width for \.mk-link, in the same rule: border-width/,
    ],
    [
      '.mk-close{border-width:1px}.mk-card,.mk-close{border-style:none solid}',
      /needs its width for \.mk-close/,
    ],
    ['.mk-receipt{outline-style:solid}', /outline-style needs its width for \.mk-receipt/],
    // letters on what lies outside of the ground that was looked at
    ['.mk-card{border-radius:50%}', /border-radius a length/],
    ['.mk-receipt{border-radius:9px}', /between 0px and 4px/],
    // paler as a whole
    ['.mk-card{opacity:.9}', /opacity is not allowed for \.mk-card/],
    ['.mk-card:hover{opacity:.6}', /opacity is not allowed for \.mk-card/],
    // away from under the pointer, and a focus that is not seen
    ['.mk-card:hover{padding:32px}', /padding is not allowed with :hover/],
    ['.mk-text:hover{font-size:24px}', /font-size is not allowed with :hover/],
    ['.mk-close:focus-visible{border:2px solid #000}', /border is not allowed with :focus-visible/],
    ['.mk-close:focus-visible{outline:none}', /has to be seen/],
    ['.mk-close:focus-visible{outline:#000}', /has to be seen/],
  ];
  for (const [css, expected] of cases) assert.match(fault(css) ?? 'taken', expected, css);
});

test('a line that nobody draws is no pixel wide, so that no later style draws one of three', () => {
  const css = '.mk-link{border-width:2px;border:none;border-style:solid;}';
  const printed = '.mk-link{border-width:2px;border:0px none;border-style:solid;}';
  assert.equal(printCss(css, TOKENS), printed);
  assert.equal(printCss(printed, TOKENS), printed);
  assert.equal(printCss('.mk-text{border:#000;}', TOKENS), '.mk-text{border:0px #000;}');
  const wide = '.mk-card{border-style:dashed;}.mk-link{border-style:dashed;border-width:1px;}';
  assert.equal(printCss(wide, TOKENS), wide, 'a card has room for it');
  const focused = '.mk-link:focus-visible{outline-style:dashed;}';
  assert.equal(printCss(focused, TOKENS), focused, 'what has the focus has a width already');
});

test('a hostile look is refused by the API with its line and column, before anything is kept', async () => {
  for (const css of [
    '.mk-card{background:linear-gradient(#000,#000);background-color:#fff;color:#000}',
    '.mk-card{background:#000;background-image:#fff;color:#000}',
    '.mk-text{background:#000;color:#fff;box-shadow:0 0 0 40px #000}',
    '.mk-text{outline:6px solid #fff;outline-offset:8px}',
    '.mk-card{opacity:.6}',
  ]) {
    const { status, body } = await make({ css });
    assert.equal(status, 400, css);
    assert.deepEqual([body.error, body.issues[0].path], ['invalid_request', 'css']);
    assert.match(body.issues[0].message, /^line 1, column \d+: /);
  }
});

test('a length of the tokens is named, and goes on following them', () => {
  const css =
    '.mk-link{border-radius:var(--mk-radius);padding:0 calc(var(--mk-radius)/2 + .1em);border:max(1px,var(--mk-radius)/10) solid #000;}';
  const printed = printCss(css, TOKENS);
  assert.equal(
    printed,
    '.mk-link{border-radius:var(--mk-radius);padding:0 calc(var(--mk-radius) / 2 + 1.6px);border:max(1px,var(--mk-radius) / 10) solid #000;}',
  );
  assert.equal(printCss(printed, TOKENS), printed);
  assert.throws(() => printCss(printed, { ...TOKENS, radius: 24 }), 'its bounds hold for other tokens too');
});

test('text that cannot be read on its ground is refused, in every state and scheme', () => {
  const cases: [string, RegExp | null][] = [
    ['.mk-text{color:#777}', /\.mk-text has a contrast of 4\.\d+:1 in light/],
    ['.mk-text{color:#595959}', /in dark/],
    ['@media (prefers-color-scheme:light){.mk-text{color:#595959}}', null],
    ['.mk-card:hover{background:#1f2328}', /contrast/],
    ['.mk-card:hover{background:#1f2328;color:#fff}', /\.mk-link/],
    ['.mk-card:hover{background:#1f2328;color:#fff}.mk-link{color:#fff}', /\.mk-link/],
    ['.mk-card{background:linear-gradient(#fff,#333);color:#000}', /contrast/],
    ['.mk-card{background:linear-gradient(#000,#000);background-color:#fff;color:#000}', /contrast/],
    ['.mk-card{background-image:linear-gradient(#000,#000);background-color:#fff;color:#000}', /contrast/],
    ['.mk-card{background:linear-gradient(#000,#000);background:#fff;color:#000}.mk-link{color:#000}', null],
    [
      '.mk-card{background:#fff;color:#000}.mk-card:hover{background-image:linear-gradient(#000,#333)}',
      /contrast/,
    ],
    // black and white it can be read on, and not on what lies between
    ['.mk-card{background:linear-gradient(#000,#fff);color:#757575}', /contrast of 1\.\d+:1/],
    ['.mk-close{color:#fff}', /\.mk-close/],
    ['.mk-receipt:focus-visible{background-color:#000;color:#fff}', null],
    ['.mk-card{color:hsl(0 0% 70%)}', /in light/],
    ['.mk-card{color:oklch(70% 0 0)}', /in light/],
    ['@media (prefers-color-scheme:light){.mk-card{color:oklch(.3 .1 250deg)}}', null],
  ];
  for (const [css, expected] of cases) {
    const found = fault(css);
    if (expected) assert.match(found ?? 'taken', expected, css);
    else assert.equal(found, null, css);
  }
});

test('tokens that cannot be read, or a logo of another site, are refused with their path', async () => {
  const pale = { background: '#ffffff', text: '#aaaaaa', accent: '#0b57a4', border: '#dddddd' };
  const cases: [object, string][] = [
    [{ light: pale }, 'tokens.light.text'],
    [{ dark: pale }, 'tokens.dark.text'],
    [{ logo: 'https://elsewhere.example/a.png' }, 'tokens.logo'],
    [{ logo: 'javascript:alert(1)' }, 'tokens.logo'],
    [{ width: 500 }, 'tokens.width'],
    [{ font: 'Comic Sans' }, 'tokens.font'],
    [{ background: 'x' }, 'tokens'],
  ];
  for (const [tokens, path] of cases) {
    const { status, body } = await make({ tokens });
    assert.deepEqual([status, body.issues[0].path], [400, path], JSON.stringify(tokens));
  }
  assert.equal((await make({ tokens: { logo: 'https://bakery.example/logo.svg' } })).status, 201);
  assert.match(printTokens(TOKENS), /^:host\{--mk-background:#ffffff;.*@media \(prefers-color-scheme:dark\)/);
});

test('colours are what browsers make of them', () => {
  const near = (one: Color | null, hex: string) =>
    assert.ok(
      one!.every((part, i) => Math.abs(part - hexColor(hex)![i]!) < 0.01),
      `${one} ${hex}`,
    );
  const amounts = (...parts: [number, string][]) => parts.map(([value, unit]) => ({ value, unit }));
  near(functionColor('hsl', amounts([210, 'deg'], [50, '%'], [40, '%'])), '#336699');
  near(functionColor('rgb', amounts([51, ''], [40, '%'], [153, ''])), '#336699');
  near(functionColor('oklch', amounts([62.8, '%'], [0.25768, ''], [29.23, ''])), '#ff0000');
  assert.equal(Math.round(contrast([0, 0, 0], [1, 1, 1])), 21);
});

test('what was saved under wider rules, or of an origin that is none of the site any more, is not drawn, and the list says why', async () => {
  const { key, siteId } = await newSite(server);
  const site = `${server.url}/v1/sites/${key}`;
  const own = (origins: string[]) => call(site, 'PATCH', { origins }, admin);
  await own(['https://bakery.example']);
  await orders(server, key, 5);
  const css = '.mk-card{padding:18px;}';
  const saved = async (name: string, more: object = {}) => {
    const made = await call(`${site}/templates`, 'POST', { name, css, ...more }, admin);
    assert.deepEqual([made.status, made.body.template.refused], [201, []]);
    const { templateId } = made.body.template;
    await running(server, key, { ...COUNT, name, templateId });
    return templateId as string;
  };
  const ids = {
    kept: await saved('kept'),
    css: await saved('css'),
    colours: await saved('colours'),
    logo: await saved('logo', { tokens: { logo: 'https://bakery.example/logo.svg' } }),
  };
  const before = (set: string, id: string) =>
    server.database.owner.query(`update templates set ${set} where template_id = $1`, [id]);
  await before(
    "css = '.mk-card{padding:18px;}' || chr(10) || '.mk-text{box-shadow:0 0 0 99px #000000;}'",
    ids.css,
  );
  await before(`tokens = jsonb_set(tokens, '{light,text}', '"#fefefe"')`, ids.colours);
  await own(['https://elsewhere.example']);
  await server.services.feeds.showing(server.services.sites.find(siteId)!, true);

  const styles = (await feedOf(server, key)).styles as Record<string, { css: string; logo: string | null }>;
  const plain = printTokens(tokensShape.parse({}));
  const drawn = Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, styles[id]]));
  assert.deepEqual(
    Object.entries(drawn).map(([name, style]) => [
      name,
      style!.css === plain + css,
      style!.css === plain,
      style!.logo,
    ]),
    [
      ['kept', true, false, null],
      ['css', false, true, null],
      ['colours', false, true, null],
      ['logo', true, false, null],
    ],
  );
  const { templates } = (await call(`${site}/templates`, 'GET', undefined, admin)).body;
  const said = (name: string) =>
    templates
      .find((one: { name: string }) => one.name === name)
      .refused.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`);
  assert.deepEqual(said('kept'), []);
  assert.match(said('css')[0], /^css: line 2, column \d+: /);
  assert.match(said('colours')[0], /^tokens\.light\.text: has a contrast of /);
  assert.match(said('logo')[0], /^tokens\.logo: /);
});
