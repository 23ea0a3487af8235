// A field with a few values to choose from.
import { useId } from 'preact/hooks';

export function Choice({
  name,
  label,
  of,
  value,
}: {
  name: string;
  label: string;
  /** Value and what it is called. */
  of: readonly (readonly [string, string])[];
  value?: string;
}) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name}>
        {of.map(([key, words]) => (
          <option key={key} value={key} selected={key === value}>
            {words}
          </option>
        ))}
      </select>
    </p>
  );
}
