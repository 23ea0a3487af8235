// From what visitors are shown to how it is known: each claim with its public receipt, and one looked up by its address.
import { useState } from 'preact/hooks';
import type { Notification } from '../../../notifications/schema.ts';
import type { Feed } from '../../../proof/feed-shape.ts';
import type { ListedReceipt } from '../../../proof/receipt-list-route.ts';
import { writePlace } from '../lib/place.ts';
import { format, go, isOneOf, language, place, site, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { usePages } from '../lib/use-pages.ts';
import { Pick } from '../notifications/fields.tsx';
import { Field, Form } from '../parts/form.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { receipts as en } from '../words/en/receipts.ts';
import { receipts as fr } from '../words/fr/receipts.ts';
import { OneReceipt } from './receipt.tsx';

type Words = typeof en;
interface Listed {
  notifications: (Notification & { showing: boolean; why: string | null })[];
}

export const Receipts = () => (place.value.id === null ? <List /> : <OneReceipt />);

const at = (ref: string) => ({ ...place.value, page: 'receipts' as const, id: ref });

function List() {
  const w: Words = language.value === 'fr' ? fr : en;
  const { siteId, key } = site.value!;
  const question = new URLSearchParams({ site: key, lang: language.value });
  const { data: feed, problem, again } = useAnswer<Feed>(`/v1/feed?${question}`);
  const { data } = useAnswer<Listed>(
    isOneOf('owner', 'admin') ? `/v1/sites/${encodeURIComponent(siteId)}/notifications?limit=100` : null,
  );
  const names = new Map(data?.notifications.map((one) => [one.notificationId, one.name]));
  const resting = data?.notifications.filter(({ showing, status }) => !showing && status !== 'ended') ?? [];
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.receipts}</h1>
      <p class="soft">{w.says}</p>
      {problem && !feed && <Problem problem={problem} again={again} />}
      {!feed && !problem && <Skeleton low />}
      {feed && (
        <section class="card">
          <h2>{w.shown}</h2>
          {feed.items.length === 0 && <p class="soft">{w.none}</p>}
          <ul class="claims">
            {feed.items.flatMap(({ id, variants }) =>
              variants.map(({ key: variant, text, receipt }) => (
                <li key={`${receipt} ${variant}`}>
                  <span class="says">{text}</span>
                  <span class="soft">
                    {names.get(id)}
                    {variants.length > 1 && ` · ${variant}`}
                  </span>
                  <a href={writePlace(at(receipt))} aria-label={`${w.open}: ${text}`}>
                    {w.open}
                  </a>
                </li>
              )),
            )}
          </ul>
        </section>
      )}
      {resting.length > 0 && (
        <section class="card">
          <h2>{w.notShown}</h2>
          <ul class="lines">
            {resting.map(({ notificationId, name, why }) => (
              <li key={notificationId}>
                {name} <span class="soft">{why && (w.whys[why] ?? why)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {data && data.notifications.length > 0 && <Before all={data.notifications} w={w} />}
      <section class="card">
        <h2>{w.find}</h2>
        <Form
          send={w.look}
          onSend={async ({ ref = '' }) => {
            go(
              at(
                ref
                  .trim()
                  .replace(/[?#].*$/, '')
                  .split('/')
                  .at(-1)!,
              ),
            );
          }}
        >
          {() => <Field name="ref" label={w.ref} hint={w.findSays} maxLength={500} autocomplete="off" />}
        </Form>
      </section>
    </>
  );
}

/** Receipts of one notification, also of what it said before, in whatever language and country it was shown. */
function Before({ all, w }: { all: Listed['notifications']; w: Words }) {
  const [chosen, setChosen] = useState('');
  const base = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/notifications`;
  const { rows, problem, isOld, more, again } = usePages<
    { receipts: ListedReceipt[]; nextCursor: string | null },
    ListedReceipt
  >(chosen ? `${base}/${chosen}/receipts?limit=20` : null, ({ receipts }) => receipts);
  const { count, moment } = format.value;
  return (
    <section class="card">
      <h2>{w.before}</h2>
      <p class="soft">{w.beforeSays}</p>
      <Pick
        label={w.ofWhich}
        value={chosen}
        set={setChosen}
        of={[['', '–'], ...all.map((one) => [one.notificationId, one.name] as const)]}
      />
      {problem && <Problem problem={problem} again={again} />}
      {chosen && !problem && (isOld || !rows) && <Skeleton low />}
      {chosen && !isOld && rows && (
        <>
          {rows.length === 0 && <p class="soft">{w.noneBefore}</p>}
          <ul class="claims">
            {rows.map(({ receiptId, text, version, value, asOf }) => (
              <li key={receiptId}>
                <span class="says">{text}</span>
                <span class="soft">
                  {moment(asOf, site.value!.timeZone)} · {w.ofVersion(version)}
                  {value !== null && ` · ${w.counted(count(value))}`}
                </span>
                <a href={writePlace(at(receiptId))} aria-label={`${w.open}: ${text}, ${asOf}`}>
                  {w.open}
                </a>
              </li>
            ))}
          </ul>
          <More more={more} says={w.more} />
        </>
      )}
    </section>
  );
}
