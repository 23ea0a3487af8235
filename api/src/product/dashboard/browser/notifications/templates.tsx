// Templates of this site: how its notifications look.
import { DARK, LIGHT } from '../../../notifications/looks/print.ts';
import type { Tokens } from '../../../notifications/looks/tokens.ts';
import { language, to } from '../lib/state.ts';
import { useAnswer } from '../lib/use-answer.ts';
import { Problem } from '../parts/problem.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { wordsOf } from './draft.ts';
import { mayChange, pathOf } from './list.tsx';
import { type Look, Screen } from './screen.tsx';
import { Shapes, shapeNow } from './shapes.tsx';

export interface TemplateRow extends Look {
  templateId: string;
  version: number;
  name: string;
  refused: readonly { path: string; message: string }[];
}
/** Of whoever chose none. */
export const PLAIN: Look = {
  tokens: {
    light: LIGHT,
    dark: DARK,
    font: 'inherit',
    radius: 10,
    width: 340,
    position: 'bottom-left',
    logo: null,
  } satisfies Tokens,
  css: null,
};

/** Without what is not drawn any more, whatever was wrong with it. */
const drawnOf = ({ tokens, css, refused }: TemplateRow): Look =>
  refused.some(({ path }) => /^tokens\.(?!logo)/.test(path))
    ? PLAIN
    : { tokens, css: refused.some(({ path }) => path === 'css') ? null : css };

export function TemplateList() {
  const w = wordsOf();
  const { data, problem, again } = useAnswer<{ templates: TemplateRow[] }>(
    `${pathOf('templates')}?limit=100`,
  );
  const sample = { text: w.sampleText, link: { url: '/', label: w.sampleLink } };
  return (
    <>
      <p class="up">
        <a href={to({ page: 'notifications' })}>← {w.title}</a>
      </p>
      <div class="head">
        <h1 tabIndex={-1}>{w.templates}</h1>
        <span class="room" />
        {data && data.templates.length > 0 && <Shapes isSmall />}
        {mayChange() && (
          <a class="act" href={to({ id: 'new' })}>
            {w.makeTemplate}
          </a>
        )}
      </div>
      <p class="soft">{w.templatesSay}</p>
      {problem && <Problem problem={problem} again={again} />}
      {!data && !problem && <Skeleton />}
      {data?.templates.length === 0 && <p class="notice">{w.noTemplates}</p>}
      <ul class="cards">
        {data?.templates.map((one) => (
          <li key={one.templateId} class="card">
            <h2>
              <a href={to({ id: one.templateId })}>{one.name}</a>{' '}
              <span class="soft small">{w.version(one.version)}</span>
            </h2>
            {one.refused.length > 0 && (
              <p class="notice">
                {w.notDrawn} {one.refused[0]!.path}: {one.refused[0]!.message}
              </p>
            )}
            <Screen
              card={sample}
              channel="toast"
              look={drawnOf(one)}
              shape={{ ...shapeNow(), isPhone: false }}
              language={language.value}
            />
          </li>
        ))}
      </ul>
    </>
  );
}
