// A form of a few fields: what is wrong stands at its field, and one send is under way at a time.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Refusal } from '../lib/ask.ts';
import { words } from '../lib/state.ts';

interface FieldProps {
  name: string;
  label: string;
  type?: 'text' | 'email' | 'password' | 'search' | 'url' | 'date' | 'number';
  hint?: ComponentChildren;
  value?: string;
  optional?: boolean;
  autocomplete?: string;
  inputMode?: 'numeric' | 'email';
  minLength?: number;
  maxLength?: number;
  min?: number;
  max?: number;
  /** Of a number that need not be whole. */
  step?: 'any';
  /** As wide as there is room: for a sentence. */
  wide?: boolean;
  wrong?: string | undefined;
}

export function Field({
  name,
  label,
  hint,
  wrong,
  optional,
  value,
  wide,
  type = 'text',
  ...rest
}: FieldProps) {
  const id = useId();
  const about = [hint && `${id}h`, wrong && `${id}w`].filter(Boolean).join(' ');
  return (
    <p class={wide ? 'field wide' : 'field'}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type as 'text'}
        name={name}
        defaultValue={value ?? ''}
        required={!optional}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={about || undefined}
        spellcheck={false}
        {...rest}
      />
      {hint && (
        <span class="hint" id={`${id}h`}>
          {hint}
        </span>
      )}
      {wrong && (
        <span class="wrong" id={`${id}w`}>
          {wrong}
        </span>
      )}
    </p>
  );
}

interface FormProps {
  send: string;
  /** Fields, given what is wrong with which. */
  children: (wrong: (name: string) => string | undefined) => ComponentChildren;
  /** throws  Refusal, which is shown */
  onSend(values: Record<string, string>): Promise<void>;
  more?: ComponentChildren;
  isDangerous?: boolean;
  /** Its first field has the focus at once: where the form is all there is. */
  takesFocus?: boolean;
}

export function Form({ send, children, onSend, more, isDangerous, takesFocus }: FormProps) {
  const [problem, setProblem] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  // with the form, not after the next picture: a key that was pressed since has moved on
  useLayoutEffect(() => {
    if (takesFocus) form.current?.querySelector('input')?.focus();
  }, [takesFocus]);
  const wrong = (name: string) => problem?.issues.find(({ path }) => path === name)?.message;
  const named = problem?.issues.some(({ path }) => form.current?.elements.namedItem(path)) ?? false;
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const values = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<
      string,
      string
    >;
    await onSend(values).then(
      () => setProblem(null),
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        setProblem(error);
        requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
      },
    );
    setBusy(false);
  }
  const said = problem && (problem.status === 0 ? words.value!.offline : problem.message);
  return (
    <form ref={form} onSubmit={submit}>
      {children(wrong)}
      {said && !named && (
        <p class="wrong" role="alert">
          {said}
        </p>
      )}
      <p class="actions">
        <button type="submit" class={isDangerous ? 'danger' : 'act'} aria-disabled={isBusy}>
          {send}
        </button>
        {more}
      </p>
    </form>
  );
}
