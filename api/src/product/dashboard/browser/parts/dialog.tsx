// A question in front of the page: closed by Escape, the focus goes back to where it was.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../lib/state.ts';

export function Dialog({
  title,
  close,
  children,
  isGrave,
}: {
  title: string;
  close(): void;
  children: ComponentChildren;
  /** A key that is held down does not go on to what cannot be taken back. */
  isGrave?: boolean;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  // As soon as it stands, and before it is taken away: the browser remembers what had the focus and gives it back at once. An
  // effect comes after the next picture: its focus would be taken from where a key or whoever answered the question put it since.
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    if (isGrave) dialog.querySelector<HTMLElement>(':scope > form[method=dialog] button')?.focus();
    return () => dialog.close();
  }, []);
  const asked = (event: Event) => {
    event.preventDefault();
    close();
  };
  return (
    <dialog
      ref={box}
      aria-labelledby={id}
      // not by the browser, which says so only later: whoever asks again in between would have closed what they opened
      onCancel={asked}
      onClose={() => box.current && close()}
    >
      <h2 id={id}>{title}</h2>
      {children}
      <form method="dialog" onSubmit={asked}>
        <button type="submit" class="quiet">
          {words.value!.cancel}
        </button>
      </form>
    </dialog>
  );
}
