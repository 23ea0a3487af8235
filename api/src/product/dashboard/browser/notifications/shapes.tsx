// On which page in small something is looked at: wide or a phone's, light or dark. The address holds it.
import { go, place } from '../lib/state.ts';
import { wordsOf } from './draft.ts';
import type { Shape } from './screen.tsx';

const has = (name: string): boolean => place.value.look.by.includes(name);
export const shapeNow = (): Shape => ({ scheme: has('dark') ? 'dark' : 'light', isPhone: has('phone') });

function turn(name: string, isOn: boolean): void {
  const now = place.peek();
  const others = now.look.by.filter((one) => one !== name);
  go({ ...now, look: { ...now.look, by: isOn ? [...others, name].sort() : others } }, { replace: true });
}

function Switch({ name, label, off, on }: { name: string; label: string; off: string; on: string }) {
  return (
    <fieldset class="switch" aria-label={label}>
      {[off, on].map((words, n) => (
        <button
          key={words}
          type="button"
          aria-pressed={has(name) === (n === 1)}
          onClick={() => turn(name, n === 1)}
        >
          {words}
        </button>
      ))}
    </fieldset>
  );
}

/** isSmall  there is no room for two widths */
export function Shapes({ isSmall = false }: { isSmall?: boolean }) {
  const w = wordsOf();
  return (
    <>
      {!isSmall && <Switch name="phone" label={w.width} off={w.desktop} on={w.phone} />}
      <Switch name="dark" label={w.scheme} off={w.light} on={w.dark} />
    </>
  );
}
