// A button for what cannot be taken back: it says first what will happen, and may have it typed.
import { useState } from 'preact/hooks';
import { wrongAt } from '../lib/ask.ts';
import { toHeading } from '../lib/focus.ts';
import { Dialog } from './dialog.tsx';
import { Field, Form } from './form.tsx';

export interface Confirmed {
  label: string;
  /** Of the button, where several stand on a page: whose it is. */
  of?: string;
  says: string;
  /** What has to be typed, how it is asked for, and what is said when it is not the same. */
  typed?: { text: string; ask: string; not: string };
  isQuiet?: boolean;
  /** throws  Refusal, which is shown */
  act(): Promise<unknown>;
}

export function Confirm({ label, of, says, typed, isQuiet, act }: Confirmed) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class={isQuiet ? 'quiet' : 'danger'}
        aria-label={of && `${label}: ${of}`}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {isOpen && (
        <Dialog title={label} close={() => setOpen(false)} isGrave={!typed}>
          <p>{says}</p>
          <Form
            takesFocus={typed !== undefined}
            isDangerous
            send={label}
            onSend={async ({ typed: given }) => {
              if (typed && given !== typed.text) throw wrongAt('typed', typed.not);
              await act();
              setOpen(false);
              // what had the focus may be gone with what it was about
              requestAnimationFrame(() => document.activeElement === document.body && toHeading());
            }}
          >
            {(wrong) =>
              typed && <Field name="typed" label={typed.ask} wrong={wrong('typed')} autocomplete="off" />
            }
          </Form>
        </Dialog>
      )}
    </>
  );
}
