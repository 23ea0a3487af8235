// One receipt: what was said and counted, whether it was changed since, and, for those who may, the rows behind it.
import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Receipt } from '../../../proof/receipts.ts';
import { ask, Refusal } from '../lib/ask.ts';
import { isWhole } from '../lib/signature.ts';
import { format, isOneOf, language, place, site, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { receipts as en } from '../words/en/receipts.ts';
import { receipts as fr } from '../words/fr/receipts.ts';

type Words = typeof en;
interface Shown {
  receipt: Receipt;
  status: 'current' | 'superseded' | 'withdrawn';
  now: { value: number; asOf: string } | null;
}
interface Rows {
  recounted: number | null;
  rows: string[];
  hasMore: boolean;
}

const ROWS_FIRST = 24;

const moment = (instant: string) => format.value.moment(instant, site.value!.timeZone);

export function OneReceipt() {
  const w: Words = language.value === 'fr' ? fr : en;
  const ref = place.value.id!;
  const { data, problem, again } = useAnswer<Shown>(`/v1/proof/${encodeURIComponent(ref)}`);
  return (
    <>
      <p>
        <a href={to({ page: 'receipts' })}>← {w.all}</a>
      </p>
      <h1 tabIndex={-1}>{w.title}</h1>
      {problem && <Problem problem={problem} again={again} />}
      {!data && !problem && <Skeleton />}
      {data && (
        <>
          <section class="card receipt">
            <blockquote lang={data.receipt.language}>{data.receipt.text}</blockquote>
            <p class={data.status === 'current' ? 'good' : 'soft'}>{w.statuses[data.status]}</p>
            <Facts shown={data} w={w} />
            <p class="actions">
              <a href={`/proof/${encodeURIComponent(ref)}`}>{w.publicPage}</a>
              <a href={`/v1/proof/${encodeURIComponent(ref)}`}>{w.asData}</a>
            </p>
          </section>
          {isOneOf('owner', 'admin', 'privacy') && <Evidence receipt={data.receipt} at={ref} w={w} />}
        </>
      )}
    </>
  );
}

/** Claims that are sums of whole days: what was left out of those is not counted. */
const OF_DAYS = /^(visitors|page_views|event:)/;

const claimSays = ({ of, days }: NonNullable<Receipt['claim']>, w: Words) =>
  w.claimSays(of.startsWith('event:') ? `“${of.slice('event:'.length)}”` : (w.of[of] ?? of), days);

function Facts({ shown: { receipt, now }, w }: { shown: Shown; w: Words }) {
  const { count } = format.value;
  const { claim, window, excluded, source } = receipt;
  const wordings = receipt.wordings.flatMap(({ key: variant, texts }) =>
    Object.entries(texts).flatMap(([said, forms]) =>
      Object.entries(forms).map(([form, text]) => ({
        at: `${variant} ${said} ${form}`,
        language: said,
        text,
      })),
    ),
  );
  const facts: [name: string, value: string | false][] = [
    [w.basis, w.bases[receipt.basis]],
    [w.claim, claim !== null && claimSays(claim, w)],
    [w.rule, receipt.rule],
    [w.value, receipt.value !== null && count(receipt.value)],
    [w.now, now !== null && `${count(now.value)}, ${moment(now.asOf)}`],
    [w.window, window !== null && `${moment(window.from)} – ${moment(window.to)}`],
    [w.minimum, receipt.minimum !== null && count(receipt.minimum)],
    [
      w.leftOut,
      excluded !== null
        ? w.leftOutSays(count(excluded.bots), count(excluded.staff), count(excluded.voided))
        : OF_DAYS.test(claim?.of ?? '') && w.leftUncounted,
    ],
    [w.asOf, moment(receipt.asOf)],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== false && (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </Fragment>
          ),
      )}
      {source && (
        <>
          <dt>{w.source}</dt>
          <dd>
            <a href={source.url} rel="noopener noreferrer nofollow">
              {source.url}
            </a>{' '}
            ({source.statedOn})
          </dd>
        </>
      )}
      {wordings.length > 1 && (
        <>
          <dt>{w.wordings}</dt>
          {wordings.map(({ at, language: said, text }) => (
            <dd key={at} lang={said}>
              {text}
            </dd>
          ))}
        </>
      )}
      <dt>{w.signature}</dt>
      <dd>
        <Checked receipt={receipt} w={w} />
      </dd>
    </dl>
  );
}

function Checked({ receipt, w }: { receipt: Receipt; w: Words }) {
  const [is, setIs] = useState<boolean | null | undefined>(undefined);
  const { signature } = receipt;
  // a receipt is its signature: another one is another receipt
  useEffect(() => {
    isWhole(receipt).then(setIs, () => setIs(null));
  }, [signature]);
  const says = is === undefined ? w.checking : is === null ? w.cannotTell : is ? w.whole : w.broken;
  return (
    <>
      <span class={is ? 'good' : is === false ? 'wrong' : 'soft'} role="status">
        {says}
      </span>{' '}
      <span class="soft">{w.key(receipt.keyId)}</span>
    </>
  );
}

function Evidence({ receipt, at, w }: { receipt: Receipt; at: string; w: Words }) {
  const [found, setFound] = useState<Rows | null>(null);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/receipts/${encodeURIComponent(at)}/evidence`;
  const show = () =>
    ask<Rows>(path).then(
      (rows) => {
        setRefused(null);
        setFound(rows);
      },
      (error) => error instanceof Refusal && setRefused(error),
    );
  return (
    <section class="card">
      <h2>{w.evidence}</h2>
      {receipt.claim === null ? (
        <p>{w.ofWords}</p>
      ) : (
        !found && (
          <>
            <p>{w.evidenceSays}</p>
            <p class="actions">
              <button type="button" class="act" onClick={show}>
                {w.show}
              </button>
            </p>
          </>
        )
      )}
      {refused && <Problem problem={refused} />}
      <div role="status">{found && receipt.claim && <Found found={found} receipt={receipt} w={w} />}</div>
    </section>
  );
}

function Found({ found, receipt, w }: { found: Rows; receipt: Receipt; w: Words }) {
  const { count } = format.value;
  const [isAll, setAll] = useState(false);
  const { of } = receipt.claim!;
  const isLead = of === 'leads';
  const areDays = found.rows.every((row) => /^\d{4}-\d{2}-\d{2}$/.test(row));
  const name = areDays ? w.rowsOf.days : (w.rowsOf[of] ?? w.rowsOf.live_visitors);
  return (
    <>
      {found.recounted !== null && (
        <p>
          {w.recounted}: <strong>{count(found.recounted)}</strong>{' '}
          <span class="soft">
            {receipt.value === null ? '' : found.recounted === receipt.value ? w.same : w.differs}
          </span>
        </p>
      )}
      {found.rows.length === 0 ? (
        <p class="soft">{w.noRows}</p>
      ) : (
        <>
          <h3>
            {name}: {w.rows(count(found.rows.length))}
          </h3>
          <ul class="rows" aria-label={name}>
            {found.rows.slice(0, isAll ? found.rows.length : ROWS_FIRST).map((row) => (
              <li key={row}>
                {isLead ? <a href={to({ page: 'leads', id: row })}>{row}</a> : <code>{row}</code>}
              </li>
            ))}
          </ul>
          {!isAll && found.rows.length > ROWS_FIRST && (
            <p>
              <button type="button" class="quiet" onClick={() => setAll(true)}>
                {w.showAll}
              </button>
            </p>
          )}
          {found.hasMore && <p class="soft">{w.hasMore}</p>}
        </>
      )}
    </>
  );
}
