// Things that people made, one below the other: what each is called, what is to be known of it, what can be done with it.
import type { ComponentChildren } from 'preact';

export interface Entry {
  key: string;
  name: ComponentChildren;
  /** Short words beside the name. */
  pills?: readonly (string | false)[];
  /** Facts, in one line that may wrap. */
  facts: readonly (string | false)[];
  actions?: ComponentChildren;
  /** It is over: said more softly. */
  isOver?: boolean;
  more?: ComponentChildren;
}

export const Entries = ({ of, none }: { of: readonly Entry[]; none: string }) =>
  of.length === 0 ? (
    <p class="soft">{none}</p>
  ) : (
    <ul class="cards-of">
      {of.map(({ key, name, pills = [], facts, actions, isOver, more }) => (
        <li key={key} class={isOver ? 'card over' : 'card'}>
          <div class="says">
            <p>
              <span class="name">{name}</span>
              {pills.map(
                (pill) =>
                  pill && (
                    <>
                      {' '}
                      <span class="pill">{pill}</span>
                    </>
                  ),
              )}
            </p>
            <p class="soft small">{facts.filter(Boolean).join(' · ')}</p>
            {more}
          </div>
          {actions && <p class="actions">{actions}</p>}
        </li>
      ))}
    </ul>
  );
