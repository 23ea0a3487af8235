// Some numbers of one site, for who has the link: the overview and nothing else.
import { useEffect, useState } from 'preact/hooks';
import { ask, headers, Refusal } from '../lib/ask.ts';
import { format, go, isEmbedded, link, type OwnSite, place, sites, words } from '../lib/state.ts';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Overview } from './overview.tsx';

interface Shared {
  shareId: string;
  name: string;
  views: string[];
  expiresAt: string;
  site: Pick<OwnSite, 'key' | 'name' | 'timeZone'>;
}

export function SharedView() {
  const w = words.value!;
  const { token } = link.value!;
  const [shared, setShared] = useState<Shared | null>(null);
  const [problem, setProblem] = useState<Refusal | null>(null);
  const load = () => {
    headers['x-share-token'] = token;
    ask<{ share: Shared }>('/v1/shares/mine').then(
      ({ share }) => {
        // a frame is allowed to the pages that one view names, and shows no other one
        if (isEmbedded && !location.pathname.endsWith(`/${share.shareId}`)) {
          setProblem(new Refusal(404, { error: 'not_found', message: w.notInThisFrame }, null));
          return;
        }
        sites.value = [{ ...share.site, siteId: share.site.key, role: 'viewer' }];
        go({ ...place.peek(), site: share.site.key, page: 'overview', id: null }, { replace: true });
        setProblem(null);
        setShared(share);
      },
      (error: unknown) => {
        if (error instanceof Refusal) setProblem(error);
      },
    );
  };
  // once: the link does not change while it is looked at
  useEffect(load, []);
  if (shared)
    return (
      <main id="main">
        {shared.views.includes('page') ? (
          <Overview isShared isLive={shared.views.includes('realtime')} />
        ) : (
          <p class="notice">{w.notThisPage(shared.views.join(', '))}</p>
        )}
        <p class="soft">{w.sharedUntil(shared.site.name, format.value.moment(shared.expiresAt))}</p>
      </main>
    );
  return (
    <main class="door" id="main">
      <h1 tabIndex={-1}>{w.shared}</h1>
      {problem?.code === 'proof_required' ? (
        <Form
          takesFocus={!isEmbedded}
          send={w.show}
          onSend={async ({ password }) => {
            const told = await ask<{ unlockToken: string }>('/v1/shares/unlock', {
              body: { shareToken: token, password },
            });
            headers['x-share-unlock'] = told.unlockToken;
            load();
          }}
        >
          {(wrong) => <Field name="password" label={w.password} type="password" wrong={wrong('password')} />}
        </Form>
      ) : problem ? (
        <Problem problem={problem} />
      ) : (
        <Skeleton low />
      )}
    </main>
  );
}
