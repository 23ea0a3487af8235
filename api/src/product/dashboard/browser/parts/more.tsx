// The button below a list that goes on.

/** more  asks for the next page; null: there is none */
export const More = ({ more, says }: { more: (() => unknown) | null; says: string }) =>
  more && (
    <p class="actions">
      <button type="button" class="quiet" onClick={more}>
        {says}
      </button>
    </p>
  );
