// Reports by mail, with a real SMTP server on loopback: who gets them, when, what they hold, and how they end.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Transporter } from 'nodemailer';
import { startMailServer } from '../../../test/mail-server.ts';
import { record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays } from '../../ground/lib/days.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { newKeyring } from '../accounts/keyring.ts';
import { rotateKeys } from '../accounts/rotate.ts';
import { openVault, type Vault } from '../accounts/vault.ts';
import { forgetAgain } from '../erasure/forget-again.ts';
import { makeTransport } from '../mails/transport.ts';
import { rollUp } from '../metrics/rollup.ts';
import { sealRecipients } from './addresses.ts';
import { needsMail } from './needs-mail.ts';
import { type Sent, sendReports } from './send.ts';

let server: TestServer;
let transport: Transporter;
const smtp = await startMailServer();
const { mails } = smtp;
let siteId: string;
const folder = mkdtempSync(join(tmpdir(), 'marketing-reports-'));
const settings = {
  from: 'bread@bakery.example',
  publicUrl: 'https://api.bakery.example',
  senderDefaults: { sender: '1 Oven Lane, Toronto', contact: undefined },
};
before(async () => {
  server = await startServer({
    SMTP_URL: smtp.url,
    MAIL_FROM: settings.from,
    MAIL_SENDER: settings.senderDefaults.sender,
    PUBLIC_URL: settings.publicUrl,
    DATA_DIR: folder,
  });
  transport = await makeTransport(smtp.url);
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery', name: 'The Bakery' }, admin);
  ({ siteId } = made.body.site);
});
after(async () => {
  transport?.close();
  await server.end();
});
beforeEach(async () => {
  mails.length = 0;
  await rows('delete from mail_recipients');
  await rows('delete from mail_reports');
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const api = (method: string, path: string, body?: unknown) =>
  call(`${server.url}/v1/sites/bakery${path}`, method, body, admin);
const weekly = { every: 'week', weekday: 1, hour: 8, timezone: 'America/Toronto' };
const make = async (recipients: string[], more: object = {}) => {
  const { status, body } = await api('POST', '/reports', { ...weekly, recipients, ...more });
  assert.equal(status, 201, JSON.stringify(body));
  return body.report;
};
const send = (now: Date, other: { vault?: Vault | null } = {}): Promise<Sent> =>
  sendReports({
    db: server.database.app,
    sites: server.services.sites,
    vault: server.services.accounts.vault(),
    mailing: { transport, settings },
    facts: { retentionDays: 90, countriesKnown: false },
    log: makeLog('silent'),
    now: () => now,
    ...other,
  });
/** Quoted-printable and folded headers undone. */
const plain = (raw: string) => {
  const [head, ...body] = raw.split('\n\n');
  const bytes = body
    .join('\n\n')
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${head!.replace(/\n\s+/g, ' ')}\n\n${Buffer.from(body.length ? bytes : '', 'latin1').toString()}`;
};
const press = (path: string, body?: string) =>
  fetch(`${server.url}${path}`, { method: 'POST', ...(body ? { body } : {}) });
const linkOf = (mail: string) => /\/v1\/report-mails\/[\w-]{54}/.exec(mail)![0];

/** The Monday after the newest slot that had passed when the test began, at 8 in Toronto and a quarter of an hour more. */
function nextMonday(): { now: Date; first: string; last: string } {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Toronto' }).format(new Date());
  let day = addDays(today, 1);
  while (new Date(`${day}T00:00:00Z`).getUTCDay() !== 1) day = addDays(day, 1);
  const offset = new Date(`${day}T12:00:00Z`).toLocaleString('en-CA', {
    timeZone: 'America/Toronto',
    hour: 'numeric',
    hourCycle: 'h23',
  });
  const hoursBehind = 12 - Number(offset);
  return {
    now: new Date(Date.parse(`${day}T08:15:00Z`) + hoursBehind * 3_600_000),
    first: addDays(day, -7),
    last: addDays(day, -1),
  };
}
/** As if the site's days up to the moment had been counted. */
const counted = async (last: string) => {
  await rows(
    `insert into rollup_state (site_id, day, rolled_up_at, ledger_seen, ends_at) values ($1, $2, now(), 0, now())
     on conflict do nothing`,
    [siteId, last],
  );
  await rows("update rollup_state set rolled_up_at = ends_at + interval '1 hour' where site_id = $1", [
    siteId,
  ]);
};

test('nobody gets a report before they said yes; then it comes once a week, with what happened', async () => {
  const report = await make(['Ada@bakery.example', 'bob@bakery.example']);
  assert.deepEqual(
    report.recipients.map(({ recipient }: { recipient: { state: string } }) => recipient.state),
    ['asked', 'asked'],
  );
  assert.deepEqual(await send(new Date()), { asked: 2, sent: 0, postponed: 0, givenUp: 0 });
  const asked = mails.map(plain);
  const ada = asked.find((mail) => mail.includes('To: Ada@bakery.example'))!;
  assert.match(ada, /1 Oven Lane, Toronto/);
  assert.match(ada, /List-Unsubscribe: <https:\/\/api\.bakery\.example\/v1\/report-mails\/[\w-]{54}\/leave>/);
  const shown = await fetch(`${server.url}${linkOf(ada)}?lang=fr`);
  assert.match(await shown.text(), /Rapports par courriel/);
  const { now, first, last } = nextMonday();
  await record(server.database.app, siteId, [
    { id: 'one', visitor: 'v-1', at: new Date().toISOString(), path: '/menu' },
    { id: 'two', visitor: 'v-2', at: new Date().toISOString(), path: '/from/ada@example.com/x' },
  ]);
  await rollUp(server.database.app, { siteIds: [siteId] });
  await counted(last);
  assert.equal((await send(now)).sent, 0, 'who only looked has not said yes');
  assert.equal((await press(linkOf(ada))).status, 200);
  mails.length = 0;
  assert.deepEqual(await send(now), { asked: 0, sent: 1, postponed: 0, givenUp: 0 });
  const mail = plain(mails[0]!);
  assert.match(mail, /To: Ada@bakery\.example/);
  assert.match(mail, /Subject: The Bakery, .+ to .+: 2 visitors, 0 leads/);
  assert.match(mail, /- \/menu: 1 views/);
  assert.ok(!mail.includes('ada@example.com'), 'no address in the name of a page');
  assert.match(mail, /- \/from\/…\/x/);
  assert.match(mail, /List-Unsubscribe-Post: List-Unsubscribe=One-Click/);
  assert.ok(mail.includes(`/app/bakery/overview?range=${first}..${last}`));
  assert.ok(!/<img|src=/.test(mail), 'no pixel');
  assert.match(mail, /[●◐○] /);
  assert.equal((await send(now)).sent, 0, 'once a week');
  assert.equal(
    (await send(new Date(now.getTime() + 7 * 86_400_000))).sent,
    0,
    'its days are not counted yet',
  );
});

test('a report waits until its days are counted, a day at most, and then says what is not', async () => {
  await rows('delete from rollup_state where site_id = $1', [siteId]);
  await make(['ada@bakery.example']);
  await rows('update mail_recipients set confirmed_at = now(), next_attempt_at = null');
  const { now, last } = nextMonday();
  assert.equal((await send(now)).sent, 0);
  await counted(last);
  await rows('insert into dirty_days (site_id, day, cause) values ($1, $2, $3)', [siteId, last, 'a test']);
  assert.equal((await send(now)).sent, 0, 'a marked day is still to be counted');
  assert.equal((await send(new Date(now.getTime() + 86_400_000))).sent, 1);
  await rows('delete from dirty_days where site_id = $1', [siteId]);
});

test('a new report leaves at its next time, not at the one that has passed; a month’s tells of the month before', async () => {
  const report = await make(['ada@bakery.example'], { every: 'month', weekday: undefined, language: 'fr' });
  await rows('update mail_recipients set confirmed_at = now(), next_attempt_at = null');
  assert.equal((await send(new Date())).sent, 0);
  const through = report.recipients[0].toldThrough as string;
  const first = addDays(through, 1);
  const next = new Date(Date.UTC(Number(first.slice(0, 4)), Number(first.slice(5, 7)), 3));
  assert.equal((await send(next)).sent, 1);
  assert.match(plain(mails[0]!), /visiteurs, 0 contacts/);
  const { body } = await api('GET', '/reports');
  const told = body.reports[0].recipients[0].toldThrough;
  assert.equal(told, addDays(`${next.toISOString().slice(0, 8)}01`, -1));
});

test('one click ends them, also after a restore; the own link brings them back, nobody else can at once', async () => {
  await make(['ada@bakery.example']);
  await send(new Date());
  const link = linkOf(plain(mails[0]!));
  await press(link);
  const before = new Date(Date.now() - 1000).toISOString();
  assert.equal((await press(`${link}/leave`, 'List-Unsubscribe=One-Click')).status, 200);
  const state = async () => (await api('GET', '/reports')).body.recipients[0].state;
  assert.equal(await state(), 'left');
  const again = await api('POST', '/reports', { ...weekly, recipients: ['ada@bakery.example'] });
  assert.equal(again.status, 400);
  assert.equal(again.body.issues[0].path, 'recipients.0');
  await rows('update mail_recipients set left_at = null'); // as a backup of before has it
  const { forgetJournal: journal } = server.services.leads;
  await forgetAgain(server.database.app, { journal, since: before, pepper: 'none', tables: {} });
  assert.equal(await state(), 'left');
  assert.equal((await press(link)).status, 200);
  assert.equal(await state(), 'confirmed');
  assert.equal((await press(`${link.slice(0, -4)}AAAA`)).status, 404);
});

test('a server that does not take a mail is asked again later; one that refuses it for good, never about these days', async () => {
  await make(['ada@bakery.example']);
  await rows('update mail_recipients set confirmed_at = now(), next_attempt_at = null');
  const { now, last } = nextMonday();
  await counted(last);
  const attempt = async (refuses: string) => {
    const other = await startMailServer(refuses);
    const refusing = await makeTransport(other.url);
    const done = await sendReports({
      db: server.database.app,
      sites: server.services.sites,
      vault: server.services.accounts.vault(),
      mailing: { transport: refusing, settings },
      facts: { retentionDays: 90, countriesKnown: false },
      log: makeLog('silent'),
      now: () => now,
    });
    refusing.close();
    return done;
  };
  assert.equal((await attempt('451 later')).postponed, 1);
  await rows("update mail_report_copies set next_attempt_at = now() - interval '1 minute'");
  assert.equal((await attempt('550 no such mailbox')).givenUp, 1);
  const { body } = await api('GET', '/reports');
  assert.equal(body.reports[0].recipients[0].lastError, 'smtp 550');
  assert.equal(body.reports[0].recipients[0].toldThrough, last);
  assert.equal((await send(now)).sent, 0);
});

test('where no mail can leave a report is refused with what to set; what is wrong is said at its field', async () => {
  const site = server.services.sites.fallback();
  assert.throws(
    () => needsMail(site, { missing: ['SMTP_URL', 'MAIL_FROM'], sender: undefined }),
    /set SMTP_URL, MAIL_FROM and start again; the postal address/,
  );
  for (const [body, path] of [
    [{ ...weekly, recipients: ['not an address'] }, 'recipients.0'],
    [{ ...weekly, timezone: 'Mars/Olympus', recipients: ['ada@bakery.example'] }, 'timezone'],
    [{ every: 'month', weekday: 2, recipients: ['ada@bakery.example'] }, 'weekday'],
    [{ ...weekly, recipients: [] }, 'recipients'],
  ] as const) {
    const answer = await api('POST', '/reports', body);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.issues[0].path, path);
  }
});

/** Every row of every table as text, what is sealed or hashed as its bytes too. */
async function dump(): Promise<string> {
  const tables = await rows(
    "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'",
  );
  const lines: string[] = [];
  for (const { name } of tables)
    for (const { line } of await rows(`select t::text as line from ${name} t`))
      lines.push(
        line,
        line.replace(/\\\\?x([0-9a-f]+)/g, (_: string, hex: string) =>
          Buffer.from(hex, 'hex').toString('latin1'),
        ),
      );
  return lines.join('\n');
}

test('no dump holds the address of a recipient; who looks after the site sees it, and a rotation seals it anew', async () => {
  const email = 'canary-reader@bakery.example';
  const report = await make([email.toUpperCase(), 'bob@bakery.example']);
  const seen = async () =>
    (await api('GET', '/reports')).body.recipients
      .map((one: { email: string }) => one.email.toLowerCase())
      .sort();
  assert.deepEqual(await seen(), ['bob@bakery.example', email]);
  assert.doesNotMatch(await dump(), /canary-reader|bob@bakery/i);
  const keys = () => rows('select distinct key_id from mail_recipient_addresses');
  const before = await keys();
  await rotateKeys(server.database.app, server.services.accounts.vault(), true);
  assert.notDeepEqual(await keys(), before);
  assert.equal((await send(new Date())).asked, 2);
  assert.deepEqual(mails.map((mail) => /^To: (.*)$/im.exec(plain(mail))![1]!.trim().toLowerCase()).sort(), [
    'bob@bakery.example',
    email,
  ]);
  const again = await make([email]);
  assert.ok(
    report.recipients.some(
      (one: { recipient: { recipientId: string } }) =>
        one.recipient.recipientId === again.recipients[0].recipient.recipientId,
    ),
    'found again by its hash',
  );
});

test('addresses that stood in clear are sealed at the next start, whatever ended the one before; without the keyring nobody gets a mail', async () => {
  await make(['ada@bakery.example', 'bob@bakery.example']);
  const sealed = await rows('select recipient_id, email_hash from mail_recipients order by recipient_id');
  // as the release before left them
  await rows(
    `update mail_recipients p set email_hash = null, mail_to = case when recipient_id = $1 then 'ada@bakery.example' else 'Bob@bakery.example' end`,
    [
      (await api('GET', '/reports')).body.recipients.find((one: { email: string }) =>
        one.email.startsWith('ada'),
      ).recipientId,
    ],
  );
  await rows('delete from mail_recipient_addresses');
  const { accounts, leads } = server.services;
  const seal = (vault = openVault(undefined)) =>
    sealRecipients(server.database.app, [siteId], {
      vault,
      hashAddress: leads.hashAddress,
      log: makeLog('silent'),
    });
  const state = () => rows('select recipient_id, email_hash from mail_recipients order by recipient_id');

  await seal();
  assert.deepEqual(await state(), sealed, 'an erasure finds them, though nothing can seal them yet');
  assert.match(await dump(), /ada@bakery/);

  let count = 0;
  await assert.rejects(
    seal({
      ...accounts.vault(),
      async seal(...given) {
        if (count++ > 0) throw new Error('killed');
        return accounts.vault().seal(...given);
      },
    }),
    /killed/,
  );
  assert.match(await dump(), /ada@bakery/, 'as it was');

  await Promise.all([seal(accounts.vault()), seal(accounts.vault())]);
  assert.doesNotMatch(await dump(), /ada@bakery|bob@bakery/i);
  assert.deepEqual(await state(), sealed);
  await seal(accounts.vault());
  assert.equal((await send(new Date())).asked, 2);

  await rows('update mail_recipients set next_attempt_at = now()');
  const strange = { vault: openVault(newKeyring()) };
  assert.deepEqual(await send(new Date(), strange), { asked: 0, sent: 0, postponed: 2, givenUp: 0 });
  assert.equal((await send(new Date(), { vault: null })).postponed, 0, 'nothing is tried without one');
  await rows('update mail_recipients set next_attempt_at = now()');
  assert.equal((await send(new Date())).asked, 2, 'and once it is back they leave');
});
