// What can be done with a review: published by permission, declined for a reason, its permission entered as it came in writing.
import { useState } from 'preact/hooks';
import type { Review, ReviewPatch } from '../../../reviews/schema.ts';
import { ask } from '../lib/ask.ts';
import { site } from '../lib/state.ts';
import { todayIn } from '../lib/today.ts';
import type { ReviewsWords } from '../words/en/reviews.ts';
import { Choice } from './choice.tsx';
import { Dialog } from './dialog.tsx';
import { Field, Form } from './form.tsx';

interface Props {
  review: Review;
  path: string;
  w: ReviewsWords;
  changed(now: Review): void;
  failed(error: unknown): void;
}

/** throws  Refusal */
const patch = async (path: string, version: number, body: Partial<ReviewPatch>): Promise<Review> =>
  (await ask<{ review: Review }>(path, { method: 'PATCH', version, body })).review;

export function Decisions({ review, path, w, changed, failed }: Props) {
  const [open, setOpen] = useState<'decline' | 'enter' | null>(null);
  const { status, permission, version } = review;
  const isAllowed = permission === 'granted' && review.text !== null;
  const become = (next: 'published' | 'waiting') =>
    patch(path, version, { status: next }).then(changed, failed);
  const done = (now: Review) => {
    setOpen(null);
    // once the question before it is gone, which gives the focus back
    requestAnimationFrame(() => changed(now));
  };
  return (
    <>
      <p class="actions">
        {status === 'waiting' && isAllowed && (
          <button type="button" class="act" onClick={() => become('published')}>
            {w.publish}
          </button>
        )}
        {status === 'waiting' && !isAllowed && review.text !== null && review.leadId !== null && (
          <button type="button" class="quiet" onClick={() => setOpen('enter')}>
            {w.enter}
          </button>
        )}
        {status === 'published' && (
          <button type="button" class="quiet" onClick={() => become('waiting')}>
            {w.unpublish}
          </button>
        )}
        {status === 'declined' ? (
          <button type="button" class="quiet" onClick={() => become('waiting')}>
            {w.reconsider}
          </button>
        ) : (
          <button type="button" class="quiet" onClick={() => setOpen('decline')}>
            {w.decline}
          </button>
        )}
      </p>
      {open === 'decline' && (
        <Dialog title={w.declineTitle} close={() => setOpen(null)}>
          <p>{w.reasonHint}</p>
          <Form
            send={w.decline}
            isDangerous
            onSend={async ({ reason, note }) => {
              const why = reason as Review['reason'];
              const body = {
                status: 'declined',
                ...(why && { reason: why }),
                ...(note && { note }),
              } as const;
              done(await patch(path, version, body));
            }}
          >
            {(wrong) => (
              <>
                <Choice
                  name="reason"
                  label={w.reason}
                  of={[['', w.chooseReason], ...Object.entries(w.reasons)]}
                  wrong={wrong('reason')}
                />
                <Field name="note" label={w.note} optional maxLength={500} wrong={wrong('note')} />
              </>
            )}
          </Form>
        </Dialog>
      )}
      {open === 'enter' && (
        <Enter version={version} path={path} w={w} done={done} close={() => setOpen(null)} />
      )}
    </>
  );
}

interface EnterProps {
  version: number;
  path: string;
  w: ReviewsWords;
  done(now: Review): void;
  close(): void;
}

function Enter({ version, path, w, done, close }: EnterProps) {
  const today = todayIn(site.value!.timeZone);
  return (
    <Dialog title={w.enter} close={close}>
      <p>{w.enterSays}</p>
      <Form
        takesFocus
        send={w.enterSend}
        onSend={async ({ text = '', day = today, how = '', name }) => {
          // of a day its noon, and of today now: a permission does not come from the future
          const receivedAt = new Date(Math.min(Date.now(), Date.parse(`${day}T12:00:00Z`))).toISOString();
          const permission = {
            text,
            receivedAt,
            how,
            fields: name ? ['name' as const] : [],
            ...(name && { name }),
          };
          done(await patch(path, version, { permission }));
        }}
      >
        {(wrong) => (
          <>
            <Field name="text" label={w.enterWords} maxLength={2000} wrong={wrong('permission.text')} />
            <Field
              name="day"
              label={w.enterWhen}
              type="date"
              value={today}
              wrong={wrong('permission.receivedAt')}
            />
            <Field
              name="how"
              label={w.enterHow}
              hint={w.enterHowHint}
              maxLength={2000}
              wrong={wrong('permission.how')}
            />
            <Field
              name="name"
              label={w.enterName}
              optional
              maxLength={100}
              wrong={wrong('permission.name')}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
