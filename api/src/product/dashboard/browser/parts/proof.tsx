// What is dangerous asks again who one is (the API says when); whatever waited for it goes on then.
import { signal } from '@preact/signals';
import { ask, on } from '../lib/ask.ts';
import { knowsPasskeys, usePasskey } from '../lib/passkey.ts';
import { me, words } from '../lib/state.ts';
import { Dialog } from './dialog.tsx';
import { Field, Form } from './form.tsx';

const waiting = signal<((given: boolean) => void) | null>(null);
on.proof = () =>
  new Promise((answer) => {
    waiting.value?.(false);
    waiting.value = answer;
  });

function end(given: boolean): void {
  const answer = waiting.value;
  waiting.value = null;
  answer?.(given);
}

export function Proof() {
  const w = words.value!;
  if (!waiting.value) return null;
  return (
    <Dialog title={w.proofTitle} close={() => end(false)}>
      <Form
        takesFocus
        send={w.proofSend}
        onSend={async ({ password, code }) => {
          await ask('/v1/auth/prove', { body: { password, ...(code ? { code } : {}) } });
          end(true);
        }}
        more={
          knowsPasskeys() &&
          me.value?.secondFactor && (
            <button
              type="button"
              class="quiet"
              onClick={async () => {
                if (await usePasskey('/v1/auth/prove/passkey').catch(() => false)) end(true);
              }}
            >
              {w.byPasskey}
            </button>
          )
        }
      >
        {(wrong) => (
          <>
            <Field
              name="password"
              label={w.password}
              type="password"
              autocomplete="current-password"
              wrong={wrong('password')}
            />
            {me.value?.secondFactor && (
              <Field
                name="code"
                label={w.code}
                inputMode="numeric"
                autocomplete="one-time-code"
                wrong={wrong('code')}
              />
            )}
          </>
        )}
      </Form>
    </Dialog>
  );
}
