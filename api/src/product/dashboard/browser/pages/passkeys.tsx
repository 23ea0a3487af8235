// One's own passkeys: made, named, removed.
import { useState } from 'preact/hooks';
import { useDeed } from '../lib/deed.ts';
import { knowsPasskeys, makePasskey } from '../lib/passkey.ts';
import { format, signedIn, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Field, Form } from '../parts/form.tsx';
import { Problem } from '../parts/problem.tsx';

interface Passkey {
  passkeyId: string;
  name: string;
  createdAt: string;
  usedAt: string | null;
}

export function Passkeys() {
  const w = words.value!;
  const { data, again } = useAnswer<{ passkeys: Passkey[] }>('/v1/users/me/passkeys');
  const [codes, setCodes] = useState<string[] | null>(null);
  const { act, refused } = useDeed(again);
  return (
    <section class="card">
      <h2>{w.passkeys}</h2>
      <p>{w.passkeysSay}</p>
      <ul class="lines">
        {data?.passkeys.map(({ passkeyId, name, usedAt, createdAt }) => (
          <li key={passkeyId}>
            {name} <span class="soft">{format.value.ago(usedAt ?? createdAt, Date.now())}</span>{' '}
            <button type="button" class="bare" onClick={() => act(`/v1/users/me/passkeys/${passkeyId}`)}>
              {w.remove}
            </button>
          </li>
        ))}
      </ul>
      {refused && <Problem problem={refused} />}
      {codes && (
        <div role="status">
          <p>{w.recoveryCodesSay}</p>
          <pre>{codes.join('\n')}</pre>
        </div>
      )}
      {knowsPasskeys() ? (
        <Form
          send={w.addPasskey}
          onSend={async ({ name = '' }) => {
            const made = await makePasskey(name);
            if (made) setCodes(made);
            if (made !== false) await signedIn();
            again();
          }}
        >
          {(wrong) => <Field name="name" label={w.passkeyName} maxLength={100} wrong={wrong('name')} />}
        </Form>
      ) : (
        <p class="soft">{w.noPasskeys}</p>
      )}
    </section>
  );
}
