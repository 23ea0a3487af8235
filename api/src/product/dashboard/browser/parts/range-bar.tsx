// Which days, and compared with which; the letters of the keyboard do the same.
import { useEffect, useState } from 'preact/hooks';
import { areLettersOn } from '../lib/letters.ts';
import { isSpan, PRESET_NAMES, type Preset } from '../lib/place.ts';
import { format, look, place, words } from '../lib/state.ts';

const KEYS: Record<string, Preset> = {
  d: 'today',
  e: 'yesterday',
  w: '7d',
  t: '30d',
  m: 'month',
  y: 'year',
  a: '12m',
};

/** Letters count where nobody is typing, and not with a modifier. */
function useLetters(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isTyping = (event.target as Element).closest?.(
        'input:not([type=range]), select, textarea, dialog, [contenteditable]',
      );
      if (isTyping || event.metaKey || event.ctrlKey || event.altKey || !areLettersOn()) return;
      const range = KEYS[event.key.toLowerCase()];
      if (range) look({ range });
      else if (event.key.toLowerCase() === 'x')
        look({ vs: { previous: 'year', year: 'none' }[place.value.look.vs] ?? 'previous' });
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

function Custom({ days }: { days: { from: string; to: string } }) {
  const w = words.value!;
  const [from, setFrom] = useState(days.from);
  const [to, setTo] = useState(days.to);
  return (
    <form
      class="custom"
      onSubmit={(event) => {
        event.preventDefault();
        if (isSpan(`${from}..${to}`)) look({ range: `${from}..${to}` });
      }}
    >
      <label>
        {w.from}{' '}
        <input
          type="date"
          value={from}
          max={to}
          required
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label>
        {w.to}{' '}
        <input
          type="date"
          value={to}
          min={from}
          required
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="quiet">
        {w.show}
      </button>
    </form>
  );
}

/** isAlone  it chooses days, and nothing they are compared with */
export function RangeBar({
  days,
  zone,
  isAlone,
}: {
  days: { from: string; to: string };
  zone: string;
  isAlone?: boolean;
}) {
  const w = words.value!;
  useLetters();
  const { range, vs, match } = place.value.look;
  const isNamed = isSpan(range);
  const [isOpen, setOpen] = useState(isNamed);
  return (
    <div class="range">
      <select
        aria-label={w.range}
        value={isOpen || isNamed ? 'custom' : range}
        onChange={({ currentTarget: { value } }) => {
          setOpen(value === 'custom');
          if (value !== 'custom') look({ range: value });
        }}
      >
        {PRESET_NAMES.map((name) => (
          <option key={name} value={name}>
            {w.ranges[name]}
          </option>
        ))}
        <option value="custom">{w.custom}</option>
      </select>
      {(isOpen || isNamed) && <Custom key={`${days.from}${days.to}`} days={days} />}
      {!isAlone && (
        <select
          aria-label={w.versus}
          value={vs}
          onChange={(event) => look({ vs: event.currentTarget.value })}
        >
          {(['previous', 'year', 'none'] as const).map((name) => (
            <option key={name} value={name}>
              {w.vs[name]}
            </option>
          ))}
          {isSpan(vs) && <option value={vs}>{vs.replace('..', ' – ')}</option>}
        </select>
      )}
      {!isAlone && vs !== 'none' && (
        <label class="check">
          <input
            type="checkbox"
            checked={match === 'weekday'}
            onChange={(event) => look({ match: event.currentTarget.checked ? 'weekday' : 'date' })}
          />{' '}
          {w.byWeekday}
        </label>
      )}
      <span class="soft zone">{w.daysOf(format.value.day(days.from), format.value.day(days.to), zone)}</span>
    </div>
  );
}
