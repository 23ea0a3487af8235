// Fields of what is edited as one whole: each shows what it is now, says what it becomes, and what was refused of it.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface Named {
  label: string;
  hint?: ComponentChildren;
  wrong?: string | undefined;
}

/** A label above, a hint and a refusal below; what is between gets their ids. */
export function Labelled({
  label,
  hint,
  wrong,
  isWide,
  children,
}: Named & {
  isWide?: boolean;
  children(about: { id: string; 'aria-invalid'?: true; 'aria-describedby'?: string }): ComponentChildren;
}) {
  const id = useId();
  const about = [hint && `${id}h`, wrong && `${id}w`].filter(Boolean).join(' ');
  return (
    <div class={isWide ? 'field whole' : 'field'}>
      <label for={id}>{label}</label>
      {children({
        id,
        ...(wrong ? { 'aria-invalid': true as const } : {}),
        ...(about ? { 'aria-describedby': about } : {}),
      })}
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
    </div>
  );
}

export function Text({
  value,
  set,
  type = 'text',
  isWide,
  lang,
  maxLength,
  ...named
}: Named & {
  value: string;
  set(value: string): void;
  type?: 'text' | 'url' | 'date' | 'datetime-local';
  isWide?: boolean;
  lang?: string;
  maxLength?: number;
}) {
  return (
    <Labelled {...named} isWide={isWide ?? false}>
      {(about) => (
        <input
          {...about}
          type={type as 'text'}
          value={value}
          spellcheck={type === 'text' && lang !== undefined}
          {...(lang ? { lang } : {})}
          {...(maxLength ? { maxLength } : {})}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </Labelled>
  );
}

/** Empty is null. */
export function Numeral({
  value,
  set,
  min,
  max,
  step,
  ...named
}: Named & {
  value: number | null;
  set(value: number | null): void;
  min: number;
  max: number;
  step?: number | 'any';
}) {
  return (
    <Labelled {...named}>
      {(about) => (
        <input
          {...about}
          type="number"
          class="short"
          min={min}
          max={max}
          step={step ?? 1}
          value={value ?? ''}
          onInput={({ currentTarget }) =>
            set(currentTarget.value === '' ? null : Number(currentTarget.value))
          }
        />
      )}
    </Labelled>
  );
}

export function Pick<T extends string>({
  value,
  set,
  of,
  ...named
}: Named & { value: T; set(value: T): void; of: readonly (readonly [T, string])[] }) {
  return (
    <Labelled {...named}>
      {(about) => (
        <select {...about} value={value} onChange={(event) => set(event.currentTarget.value as T)}>
          {of.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** Some of a few. */
export function Ticks<T extends string | number>({
  label,
  hint,
  wrong,
  value,
  set,
  of,
}: Named & { value: readonly T[]; set(value: T[]): void; of: readonly (readonly [T, string])[] }) {
  const id = useId();
  return (
    <fieldset class="ticks" {...(wrong ? { 'aria-describedby': `${id}w` } : {})}>
      <legend>{label}</legend>
      {of.map(([key, words]) => (
        <label class="check" key={key}>
          <input
            type="checkbox"
            checked={value.includes(key)}
            {...(wrong ? { 'aria-invalid': true } : {})}
            onChange={({ currentTarget }) =>
              set(
                of
                  .map(([one]) => one)
                  .filter((one) => (one === key ? currentTarget.checked : value.includes(one))),
              )
            }
          />{' '}
          {words}
        </label>
      ))}
      {hint && <span class="hint">{hint}</span>}
      {wrong && (
        <span class="wrong" id={`${id}w`}>
          {wrong}
        </span>
      )}
    </fieldset>
  );
}

/** A list, written with commas or line by line: what was typed stays as it was typed. */
export function List({
  value,
  set,
  isLines,
  ...named
}: Named & { value: readonly string[]; set(value: string[]): void; isLines?: boolean }) {
  const [text, setText] = useState(value.join(isLines ? '\n' : ', '));
  const type = (typed: string) => {
    setText(typed);
    set(
      typed
        .split(isLines ? '\n' : /[,;]/)
        .map((one) => one.trim())
        .filter(Boolean),
    );
  };
  return (
    <Labelled {...named} isWide={isLines ?? false}>
      {(about) =>
        isLines ? (
          <textarea
            {...about}
            rows={3}
            spellcheck={false}
            value={text}
            onInput={(event) => type(event.currentTarget.value)}
          />
        ) : (
          <input
            {...about}
            value={text}
            spellcheck={false}
            onInput={(event) => type(event.currentTarget.value)}
          />
        )
      }
    </Labelled>
  );
}

/** Opens by hand, and by itself where something in it was refused. */
export function Section({
  title,
  says,
  isOpen,
  isWrong,
  children,
}: {
  title: string;
  /** What stands in it now, while it is closed. */
  says?: string;
  isOpen?: boolean;
  isWrong: boolean;
  children: ComponentChildren;
}) {
  // what was refused and is mended does not close under whoever mended it
  const [stays, setStays] = useState(isOpen ?? false);
  if (isWrong && !stays) setStays(true);
  return (
    <details class="card part" open={stays || isWrong}>
      <summary>
        <h2>{title}</h2> {says && <span class="soft">{says}</span>}
      </summary>
      {children}
    </details>
  );
}
