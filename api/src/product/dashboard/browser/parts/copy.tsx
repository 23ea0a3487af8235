// A text to take along, with the button that takes it.
import { useState } from 'preact/hooks';
import { words } from '../lib/state.ts';
import { Icon } from './icons.tsx';

export function Copy({ text, label }: { text: string; label: string }) {
  const w = words.value!;
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="copy">
      <textarea readOnly rows={3} spellcheck={false} aria-label={label} value={text} />
      <button
        type="button"
        class="quiet"
        onClick={() =>
          navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => {},
          )
        }
      >
        <Icon name="copy" /> {isCopied ? w.copied : w.copy}
      </button>
    </div>
  );
}
