// Where something will stand in a moment; it appears late, so that what is quick does not flicker.
import { words } from '../lib/state.ts';

export const Skeleton = ({ low = false }: { low?: boolean }) => (
  <div class={low ? 'skeleton low' : 'skeleton'} role="status">
    <span class="unseen">{words.value?.loading}</span>
  </div>
);
