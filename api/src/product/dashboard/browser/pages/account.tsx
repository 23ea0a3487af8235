// One's own account: name and language, password, second factor, where one is signed in.
import { useState } from 'preact/hooks';
import { ask } from '../lib/ask.ts';
import { areLettersOn, setLetters } from '../lib/letters.ts';
import { format, link, me, signedIn, speak, words } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Field, Form } from '../parts/form.tsx';
import { signOut } from '../parts/shell.tsx';
import { NewPassword } from './door.tsx';
import { Passkeys } from './passkeys.tsx';

interface Session {
  sessionId: string;
  device: string;
  createdAt: string;
  seenAt: string;
  isThis: boolean;
}

function Profile() {
  const w = words.value!;
  const user = me.value!;
  const [isSaved, setSaved] = useState(false);
  return (
    <section class="card">
      <h2>{w.profile}</h2>
      <p class="soft">{user.email}</p>
      <Form
        send={w.save}
        more={isSaved && <span role="status">{w.saved}</span>}
        onSend={async ({ fullName, language }) => {
          const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
          await ask('/v1/users/me', { method: 'PATCH', body: { fullName, language, timeZone } });
          await signedIn();
          await speak(language as 'en' | 'fr');
          setSaved(true);
        }}
      >
        {(wrong) => (
          <>
            <Field
              name="fullName"
              label={w.fullName}
              value={user.fullName ?? ''}
              autocomplete="name"
              wrong={wrong('fullName')}
            />
            <p class="field">
              <label>
                {w.language}
                <select name="language">
                  <option value="en" selected={user.language === 'en'} lang="en">
                    English
                  </option>
                  <option value="fr" selected={user.language === 'fr'} lang="fr">
                    Français
                  </option>
                </select>
              </label>
            </p>
          </>
        )}
      </Form>
      <p>
        <label class="check">
          <input
            type="checkbox"
            checked={areLettersOn()}
            onChange={(event) => setLetters(event.currentTarget.checked)}
          />{' '}
          {w.letters}
        </label>
      </p>
    </section>
  );
}

interface Begun {
  secret: string;
  uri: string;
  picture: { size: number; path: string };
}

const QrCode = ({ size, path }: Begun['picture']) => (
  <svg class="qr" role="img" aria-label={words.value!.totpPicture} viewBox={`0 0 ${size} ${size}`}>
    <path d={path} />
  </svg>
);

function Provider() {
  const w = words.value!;
  const { data } = useAnswer<{ oidc: string | null }>('/v1/auth/ways');
  const went = link.value?.kind === 'sign-in' ? w.providerSaid(link.value.token) : null;
  const [problem, setProblem] = useState<string | null>(went);
  if (!data?.oidc) return null;
  const isLinked = me.value!.oidc;
  const act = async () => {
    try {
      if (!isLinked)
        location.href = (await ask<{ url: string }>('/v1/users/me/oidc', { method: 'POST' })).url;
      else {
        await ask('/v1/users/me/oidc', { method: 'DELETE' });
        await signedIn();
      }
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <section class="card">
      <h2>{w.byProvider(data.oidc)}</h2>
      <p>{isLinked ? w.providerLinked : w.providerSays}</p>
      <button type="button" class={isLinked ? 'quiet' : 'act'} onClick={act}>
        {isLinked ? w.remove : w.linkProvider}
      </button>
      {problem && <p role="alert">{problem}</p>}
    </section>
  );
}

function SecondFactor() {
  const w = words.value!;
  const user = me.value!;
  const [begun, setBegun] = useState<Begun | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const grouped = begun?.secret.replace(/(.{4})/g, '$1 ').trim();
  return (
    <section class="card">
      <h2>{w.secondFactor}</h2>
      {codes ? (
        <div role="status">
          <p>{w.recoveryCodesSay}</p>
          <pre>{codes.join('\n')}</pre>
        </div>
      ) : user.secondFactor ? (
        <p class="good">{w.hasSecondFactor}</p>
      ) : begun ? (
        <>
          <p>{w.totpSays}</p>
          <QrCode {...begun.picture} />
          <p>
            <a href={begun.uri}>{w.openApp}</a>
          </p>
          <p>
            <code class="secret">{grouped}</code>
          </p>
          <Form
            send={w.confirm}
            onSend={async ({ code }) => {
              const { recoveryCodes } = await ask<{ recoveryCodes: string[] }>('/v1/users/me/totp/confirm', {
                body: { code },
              });
              setCodes(recoveryCodes);
              await signedIn();
            }}
          >
            {(wrong) => (
              <Field
                name="code"
                label={w.code}
                inputMode="numeric"
                autocomplete="one-time-code"
                wrong={wrong('code')}
              />
            )}
          </Form>
        </>
      ) : (
        <>
          <p>
            {user.secondFactorDue
              ? w.secondFactorDue(format.value.moment(user.secondFactorDue))
              : w.noSecondFactor}
          </p>
          <button
            type="button"
            class="act"
            onClick={() => ask<Begun>('/v1/users/me/totp', { method: 'POST' }).then(setBegun, () => {})}
          >
            {w.setUp}
          </button>
        </>
      )}
    </section>
  );
}

function Password() {
  const w = words.value!;
  const [isSaved, setSaved] = useState(false);
  return (
    <section class="card">
      <h2>{w.password}</h2>
      {isSaved ? (
        <p role="status">{w.passwordSaved}</p>
      ) : (
        <Form
          send={w.savePassword}
          onSend={async ({ newPassword }) => {
            await ask('/v1/users/me/password', { body: { newPassword } });
            setSaved(true);
          }}
        >
          {(wrong) => <NewPassword name="newPassword" wrong={wrong('newPassword')} />}
        </Form>
      )}
    </section>
  );
}

function Sessions() {
  const w = words.value!;
  const { data, again } = useAnswer<{ sessions: Session[] }>('/v1/users/me/sessions');
  const end = (path: string) => ask(path, { method: 'DELETE' }).then(again, again);
  return (
    <section class="card">
      <h2>{w.sessions}</h2>
      <ul class="lines">
        {data?.sessions.map((one) => (
          <li key={one.sessionId}>
            {one.device} · {format.value.ago(one.seenAt, Date.now())}{' '}
            {one.isThis ? (
              <span class="soft">{w.thisOne}</span>
            ) : (
              <button
                type="button"
                class="bare"
                onClick={() => end(`/v1/users/me/sessions/${one.sessionId}`)}
              >
                {w.end}
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="actions">
        <button type="button" class="quiet" onClick={() => end('/v1/users/me/sessions')}>
          {w.endOthers}
        </button>
        <button type="button" class="act" onClick={signOut}>
          {w.signOut}
        </button>
      </p>
    </section>
  );
}

export function Account() {
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.account}</h1>
      <div class="two">
        <Profile />
        <SecondFactor />
        <Passkeys />
        <Provider />
        <Password />
        <Sessions />
      </div>
    </>
  );
}
