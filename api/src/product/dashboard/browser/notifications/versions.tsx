// What a notification said before: each version with its words, looked up when somebody wants to know.
import { useEffect, useState } from 'preact/hooks';
import type { NotificationVersion } from '../../../notifications/schema.ts';
import { format, site } from '../lib/state.ts';
import { usePages } from '../lib/use-pages.ts';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { wordsOf } from './draft.ts';

interface Listed {
  versions: NotificationVersion[];
  nextCursor: string | null;
}

/** version  the newest: of another one they are asked for again */
export function Versions({ path, version }: { path: string; version: number }) {
  const w = wordsOf();
  const [isOpen, setOpen] = useState(false);
  const { rows, problem, more, again } = usePages<Listed, NotificationVersion>(
    isOpen ? `${path}/versions?limit=20` : null,
    ({ versions }) => versions,
  );
  useEffect(() => {
    if (isOpen) again();
  }, [version]);
  return (
    <details class="card part" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <h2>{w.versionsTitle}</h2> <span class="soft">{w.versionsSay(version)}</span>
      </summary>
      {problem && <Problem problem={problem} again={again} />}
      {isOpen && !rows && !problem && <Skeleton low />}
      <ol class="lines" reversed>
        {rows?.map((one) => (
          <li key={one.version}>
            <Version one={one} />
          </li>
        ))}
      </ol>
      <More more={more} says={w.more} />
    </details>
  );
}

function Version({
  one: { version, status, name, claim, source, texts, link, madeAt },
}: {
  one: NotificationVersion;
}) {
  const w = wordsOf();
  const { count, moment } = format.value;
  return (
    <>
      <strong>{w.version(version)}</strong> <span class={`pill ${status}`}>{w.statuses[status]}</span>{' '}
      <span class="soft">
        {moment(madeAt, site.value!.timeZone)} · {name}
      </span>
      {Object.entries(texts).flatMap(([tag, forms]) =>
        Object.entries(forms).map(([form, text]) => (
          <span class="said" key={`${tag} ${form}`} lang={tag} dir="auto">
            {text}
          </span>
        )),
      )}
      {claim && (
        <span class="said soft">{w.claimThen(claim.of, count(claim.days), count(claim.minimum))}</span>
      )}
      {source && (
        <span class="said soft">
          {source.url}, {source.statedOn}
        </span>
      )}
      {link && (
        <span class="said soft">
          {link.label}: {link.url}
        </span>
      )}
    </>
  );
}
