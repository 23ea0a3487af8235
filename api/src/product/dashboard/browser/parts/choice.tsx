// A field with a few values to choose from.
import { useId } from 'preact/hooks';

export function Choice({
  name,
  label,
  of,
  value,
  wrong,
}: {
  name: string;
  label: string;
  /** Value and what it is called. */
  of: readonly (readonly [string, string])[];
  value?: string;
  wrong?: string | undefined;
}) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong ? `${id}w` : undefined}
      >
        {of.map(([key, words]) => (
          <option key={key} value={key} selected={key === value}>
            {words}
          </option>
        ))}
      </select>
      {wrong && (
        <span class="wrong" id={`${id}w`}>
          {wrong}
        </span>
      )}
    </p>
  );
}
