// Pages that are fetched when somebody goes there: what the first page needs stays small.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from '../parts/skeleton.tsx';
import { words } from './state.ts';

/** A component that stands empty until its file is here. isBeside  it has no place of its own: until then nothing stands there */
export function lazy<Props extends object = object>(
  load: () => Promise<ComponentType<Props>>,
  isBeside = false,
): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [, drawn] = useState(0);
    const [isLost, setLost] = useState(false);
    useEffect(() => {
      if (known) return;
      load().then(
        (loaded) => {
          known = loaded;
          drawn(1);
        },
        // after an upgrade the file of before is gone; the page anew names the new one
        () => setLost(true),
      );
    }, []);
    if (isLost)
      return (
        <p class="notice">
          {words.value!.isNewer}{' '}
          <button type="button" class="quiet" onClick={() => location.reload()}>
            {words.value!.tryAgain}
          </button>
        </p>
      );
    const Known = known;
    if (Known) return <Known {...props} />;
    return isBeside ? null : <Skeleton />;
  };
}
