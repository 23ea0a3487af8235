// One headline number: what it is, how it changed, and how small its base is where that matters.
import { wilson } from '../lib/format.ts';
import { format, words } from '../lib/state.ts';
import { Spark } from './chart.tsx';

export interface TileProps {
  name: string;
  value: string;
  /** 0.5: half as much again; null: nothing that compares */
  delta: number | null;
  /** Of what a share was counted; under thirty that is said. */
  of?: { part: number; of: number } | undefined;
  spark?: readonly number[] | undefined;
  chosen?: boolean;
  choose?: (() => void) | undefined;
  why: string;
}

const SMALL = 30;

export function Delta({ delta }: { delta: number | null }) {
  const w = words.value!;
  if (delta === null) return <span class="delta soft">{w.noComparison}</span>;
  const [sign, word] = delta > 0 ? ['↑', w.more] : delta < 0 ? ['↓', w.less] : ['→', w.same];
  return (
    <span class="delta">
      <span aria-hidden="true">{sign}</span> {delta === 0 ? '' : format.value.share(Math.abs(delta))} {word}
    </span>
  );
}

export function Tile({ name, value, delta, of, spark, chosen, choose, why }: TileProps) {
  const w = words.value!;
  const body = (
    <>
      <span class="name">{name}</span>
      <span class="value">{value}</span>
      {of && of.of > 0 && of.of < SMALL ? (
        <span class="delta soft">
          {w.ofSo(format.value.count(of.part), format.value.count(of.of))} (
          {wilson(Math.min(of.part, of.of), of.of).map(format.value.share).join(' – ')})
        </span>
      ) : (
        <Delta delta={delta} />
      )}
      {spark && <Spark values={spark} />}
    </>
  );
  if (!choose)
    return (
      <div class="tile" title={why}>
        {body}
      </div>
    );
  return (
    <button type="button" class="tile" aria-pressed={chosen} title={why} onClick={choose}>
      {body}
    </button>
  );
}
