// Getting in: signing in, the first owner's link, an invitation, a new password.
import { useEffect, useState } from 'preact/hooks';
import { ask, Refusal } from '../lib/ask.ts';
import { joinByPasskey, knowsPasskeys, usePasskey } from '../lib/passkey.ts';
import { go, language, link, place, signedIn, speak, words } from '../lib/state.ts';
import { Field, Form } from '../parts/form.tsx';

function Door({ title, children }: { title: string; children: preact.ComponentChildren }) {
  const w = words.value!;
  const other = language.value === 'en' ? 'fr' : 'en';
  return (
    <main class="door" id="main">
      <h1 tabIndex={-1}>{title}</h1>
      {children}
      <p class="foot">
        <button type="button" class="bare" lang={other} onClick={() => speak(other)}>
          {w.otherLanguage}
        </button>
      </p>
    </main>
  );
}

export function SignIn() {
  const w = words.value!;
  const [needsCode, setNeedsCode] = useState(false);
  const [way, setWay] = useState<'code' | 'recoveryCode'>('code');
  const [isAsking, setAsking] = useState(false);
  if (isAsking) return <AskReset back={() => setAsking(false)} />;
  return (
    <Door title={w.signIn}>
      <Form
        takesFocus
        send={w.signIn}
        onSend={async ({ email, password, keep, ...second }) => {
          try {
            await ask('/v1/auth/login', {
              body: { email, password, keep: keep === 'on', ...(needsCode ? second : {}) },
            });
          } catch (error) {
            if (error instanceof Refusal && error.code === 'second_factor_required' && !needsCode) {
              setNeedsCode(true);
              return;
            }
            throw error;
          }
          await signedIn();
        }}
        more={
          <button type="button" class="quiet" onClick={() => setAsking(true)}>
            {w.forgot}
          </button>
        }
      >
        {(wrong) => (
          <>
            <Field name="email" label={w.email} type="email" autocomplete="username" wrong={wrong('email')} />
            <Field
              name="password"
              label={w.password}
              type="password"
              autocomplete="current-password"
              wrong={wrong('password')}
            />
            {needsCode && (
              <>
                <Field
                  key={way}
                  name={way}
                  label={way === 'code' ? w.code : w.recoveryCode}
                  autocomplete="one-time-code"
                  {...(way === 'code' ? { inputMode: 'numeric' as const } : {})}
                  hint={way === 'code' ? w.codeHint : w.recoveryHint}
                  wrong={wrong(way)}
                />
                <p>
                  <button
                    type="button"
                    class="bare"
                    onClick={() => setWay(way === 'code' ? 'recoveryCode' : 'code')}
                  >
                    {way === 'code' ? w.useRecovery : w.useCode}
                  </button>
                </p>
              </>
            )}
            <p>
              <label class="check">
                <input type="checkbox" name="keep" /> {w.keep}
              </label>
            </p>
          </>
        )}
      </Form>
      <OtherWays />
    </Door>
  );
}

interface Ways {
  passkey: boolean;
  oidc: string | null;
}

/** A passkey, or the provider of an organisation; and what went wrong there. */
function OtherWays() {
  const w = words.value!;
  const [ways, setWays] = useState<Ways | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const went = link.value?.kind === 'sign-in' ? link.value.token : null;
  useEffect(() => {
    ask<Ways>('/v1/auth/ways').then(setWays, () => {});
  }, []);
  const begin = (work: () => Promise<unknown>) => () =>
    work().catch((error: unknown) => setSaid(error instanceof Refusal ? error.message : w.passkeyFailed));
  return (
    <>
      {went && (
        <p class="wrong" role="alert">
          {w.providerSaid(went)}
        </p>
      )}
      {said && (
        <p class="wrong" role="alert">
          {said}
        </p>
      )}
      <p class="actions">
        {ways?.passkey && knowsPasskeys() && (
          <button
            type="button"
            class="quiet"
            onClick={begin(async () => {
              if (await usePasskey('/v1/auth/passkey')) await signedIn();
            })}
          >
            {w.byPasskey}
          </button>
        )}
        {ways?.oidc && (
          <button
            type="button"
            class="quiet"
            onClick={begin(async () => {
              location.href = (await ask<{ url: string }>('/v1/auth/oidc', { body: {} })).url;
            })}
          >
            {w.byProvider(ways.oidc)}
          </button>
        )}
      </p>
    </>
  );
}

function AskReset({ back }: { back(): void }) {
  const w = words.value!;
  const [isSent, setSent] = useState(false);
  return (
    <Door title={w.forgot}>
      {isSent ? (
        <p role="status">{w.resetSent}</p>
      ) : (
        <Form
          takesFocus
          send={w.sendLink}
          onSend={async ({ email }) => {
            await ask('/v1/auth/reset', { body: { email } });
            setSent(true);
          }}
        >
          {(wrong) => (
            <Field
              name="email"
              label={w.email}
              type="email"
              autocomplete="username"
              hint={w.resetHint}
              wrong={wrong('email')}
            />
          )}
        </Form>
      )}
      <p>
        <button type="button" class="bare" onClick={back}>
          {w.back}
        </button>
      </p>
    </Door>
  );
}

/** By the link of the machine or of an invitation, or for a new password. */
export function ByLink() {
  const w = words.value!;
  const { kind, token } = link.value!;
  const leave = () => {
    link.value = null;
  };
  if (kind === 'email')
    return (
      <Door title={w.newAddress}>
        <p>{w.newAddressSays}</p>
        <Form
          takesFocus
          send={w.confirm}
          onSend={async () => {
            await ask('/v1/auth/email/confirm', { body: { emailToken: token } });
            leave();
            await signedIn();
          }}
        >
          {() => null}
        </Form>
      </Door>
    );
  if (kind === 'reset')
    return (
      <Door title={w.newPassword}>
        <Form
          takesFocus
          send={w.savePassword}
          onSend={async ({ newPassword }) => {
            await ask('/v1/auth/reset/confirm', { body: { resetToken: token, newPassword } });
            leave();
          }}
        >
          {(wrong) => <NewPassword name="newPassword" wrong={wrong('newPassword')} />}
        </Form>
      </Door>
    );
  return <Join kind={kind} inviteToken={token} leave={leave} />;
}

interface JoinProps {
  kind: string;
  inviteToken: string;
  leave(): void;
}

/** A new account, by a password or by a passkey. */
function Join({ kind, inviteToken, leave }: JoinProps) {
  const w = words.value!;
  const [way, setWay] = useState<'password' | 'passkey'>('password');
  const [codes, setCodes] = useState<string[] | null>(null);
  const enter = async () => {
    leave();
    await signedIn();
    go({ ...place.value, site: null, page: 'sites', id: null }, { replace: true });
  };
  if (codes)
    return (
      <Door title={w.recoveryCodes}>
        <p>{w.recoveryCodesSay}</p>
        <pre>{codes.join('\n')}</pre>
        <Form takesFocus send={w.proofSend} onSend={enter}>
          {() => null}
        </Form>
      </Door>
    );
  return (
    <Door title={kind === 'setup' ? w.setup : w.join}>
      <p>{kind === 'setup' ? w.setupSays : w.joinSays}</p>
      <Form
        takesFocus
        send={w.makeAccount}
        onSend={async ({ email, fullName = '', password }) => {
          const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
          const address = email ? { email } : {};
          const who = { inviteToken, ...address, fullName, language: language.value, timeZone };
          if (way === 'passkey') setCodes(await joinByPasskey(who, w.firstPasskey));
          else {
            await ask('/v1/auth/signup', { body: { ...who, password } });
            await enter();
          }
        }}
        more={
          knowsPasskeys() && (
            <button
              type="button"
              class="bare"
              onClick={() => setWay(way === 'passkey' ? 'password' : 'passkey')}
            >
              {way === 'passkey' ? w.passwordInstead : w.passkeyInstead}
            </button>
          )
        }
      >
        {(wrong) => (
          <>
            <Field
              name="fullName"
              label={w.fullName}
              autocomplete="name"
              maxLength={200}
              wrong={wrong('fullName')}
            />
            <Field
              name="email"
              label={w.email}
              type="email"
              autocomplete="username"
              optional={kind === 'join'}
              hint={kind === 'join' ? w.emailNamed : undefined}
              wrong={wrong('email')}
            />
            {way === 'password' ? (
              <NewPassword name="password" wrong={wrong('password')} />
            ) : (
              <p class="soft">{w.passkeysSay}</p>
            )}
          </>
        )}
      </Form>
    </Door>
  );
}

export const NewPassword = ({ name, wrong }: { name: string; wrong: string | undefined }) => (
  <Field
    name={name}
    label={words.value!.newPassword}
    type="password"
    autocomplete="new-password"
    minLength={12}
    maxLength={256}
    hint={words.value!.passwordHint}
    wrong={wrong}
  />
);
