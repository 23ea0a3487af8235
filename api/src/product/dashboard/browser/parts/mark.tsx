// The mark of trust beside a number: a sign and a word, and behind it why.
import { useId } from 'preact/hooks';
import type { Trust } from '../../../metrics/reports/trust.ts';
import { format, words } from '../lib/state.ts';

const SIGNS = { exact: '●', remarks: '◐', not_reliable: '○' } as const;

export function Mark({ trust }: { trust: Trust }) {
  const w = words.value!;
  const id = useId();
  return (
    <span class={`mark ${trust.level}`}>
      <button type="button" class="bare" popovertarget={id}>
        <span aria-hidden="true">{SIGNS[trust.level]}</span> {w.trust[trust.level]}
      </button>
      <div id={id} popover="auto" class="pop">
        <p>
          <strong>{w.trust[trust.level]}</strong>
        </p>
        {trust.remarks.length === 0 ? (
          <p>{w.trust.nothing}</p>
        ) : (
          <ul>
            {trust.remarks.map(({ code, n }) => (
              <li key={code}>{w.remarks[code]?.(format.value.count(n), n) ?? code}</li>
            ))}
          </ul>
        )}
      </div>
    </span>
  );
}
