// Links that show some numbers of this site to people without an account.
import { useState } from 'preact/hooks';
import type { Share } from '../../../shares/schema.ts';
import { atEmbed, originsIn } from '../lib/addresses.ts';
import { ask } from '../lib/ask.ts';
import { useDeed } from '../lib/deed.ts';
import { inAttribute } from '../lib/html.ts';
import { format, site, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Choice } from '../parts/choice.tsx';
import { Copy } from '../parts/copy.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';

const DAY_MS = 86_400_000;
/** What the page itself does not ask for. */
const REPORTS = ['summary', 'timeseries', 'breakdown', 'cohorts', 'attribution', 'quality'] as const;
const LASTING = [7, 30, 90, 365] as const;

interface Made {
  link: string;
  embedLink: string | null;
}
const whole = (link: string): string => new URL(link, location.origin).href;

/** The line that shows it on a page of theirs. */
const frameOf = (link: string, title: string): string =>
  `<iframe src="${inAttribute(whole(link))}" title="${inAttribute(title)}" width="100%" height="1200" loading="lazy" style="border:0"></iframe>`;

export function Shares() {
  const w = words.value!;
  const path = `/v1/sites/${encodeURIComponent(site.value!.siteId)}/shares`;
  const { data, again } = useAnswer<{ shares: Share[] }>(path);
  const [made, setMade] = useState<Made | null>(null);
  const { act, refused } = useDeed(again);
  const live =
    data?.shares.filter((one) => one.revokedAt === null && Date.parse(one.expiresAt) > Date.now()) ?? [];
  return (
    <section class="card">
      <h2>{w.shares}</h2>
      <p>{w.sharesSay}</p>
      <ul class="lines">
        {live.map((one) => (
          <li key={one.shareId}>
            {one.name}{' '}
            <span class="soft">
              {w.until(format.value.moment(one.expiresAt))}
              {one.hasPassword && `, ${w.withPassword}`}
              {one.hideMoney && `, ${w.hideMoney}`}
              {one.embed.length > 0 && `, ${w.framedOn(one.embed.join(', '))}`}
              {one.lastUsedOn && `, ${w.lastUsed(format.value.date(one.lastUsedOn))}`}
            </span>{' '}
            <button type="button" class="bare" onClick={() => act(`${path}/${one.shareId}`)}>
              {w.revoke}
            </button>
          </li>
        ))}
      </ul>
      {refused && <Problem problem={refused} />}
      {made && (
        <div role="status">
          <p>{w.onlyNow}</p>
          <Copy text={whole(made.link)} label={w.shares} />
          {made.embedLink && (
            <>
              <p>{w.frameLine}</p>
              <Copy text={frameOf(made.embedLink, site.value!.name || site.value!.key)} label={w.frameLine} />
            </>
          )}
        </div>
      )}
      <Form
        send={w.makeShare}
        onSend={async ({ name, sharePassword, hideMoney, live, reports, days, embed }) => {
          const body = {
            name,
            hideMoney: hideMoney === 'on',
            views: ['page', ...(live ? ['realtime'] : []), ...(reports ? REPORTS : [])],
            expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString(),
            embed: originsIn(embed),
            ...(sharePassword ? { password: sharePassword } : {}),
          };
          setMade(await ask<Made>(path, { body }).catch(atEmbed));
          again();
        }}
      >
        {(wrong) => (
          <>
            <Field name="name" label={w.shareFor} maxLength={200} wrong={wrong('name')} />
            <Field
              name="sharePassword"
              label={w.sharePassword}
              type="password"
              optional
              autocomplete="new-password"
              minLength={8}
              wrong={wrong('password')}
            />
            <Choice
              name="days"
              label={w.shareLasts}
              of={LASTING.map((days) => [String(days), w.lasting[days]])}
              value="30"
            />
            {Object.entries({ hideMoney: w.hideMoney, live: w.alsoLive, reports: w.alsoReports }).map(
              ([key, says]) => (
                <p key={key}>
                  <label class="check">
                    <input type="checkbox" name={key} defaultChecked={key === 'live'} /> {says}
                  </label>
                </p>
              ),
            )}
            <Field
              name="embed"
              label={w.shareEmbed}
              hint={w.shareEmbedHint}
              optional
              maxLength={1000}
              wrong={wrong('embed')}
            />
          </>
        )}
      </Form>
    </section>
  );
}
