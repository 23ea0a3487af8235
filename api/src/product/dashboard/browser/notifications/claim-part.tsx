// What a notification rests on: rows that are counted, or, of a message, where its words can be checked.
import type { Content, Editing, Kind } from './draft.ts';
import { Numeral, Pick, Section, Text } from './fields.tsx';

type Of = NonNullable<Content['claim']>['of'];
type Where = NonNullable<Content['claim']>['where'];

const OF: Record<Exclude<Kind, 'message'>, readonly string[]> = {
  count: ['purchases', 'signups', 'activations', 'leads', 'visitors', 'page_views', 'reviews', 'event'],
  recent_activity: ['purchases', 'signups', 'activations', 'leads'],
  live_visitors: ['visitors'],
  review: ['reviews'],
};
const WHERE: Record<string, readonly (keyof Where)[]> = {
  purchases: ['product', 'country'],
  leads: ['form'],
  page_views: ['path'],
  reviews: ['product', 'ratingAtLeast'],
};

export function ClaimPart({ editing }: { editing: Editing }) {
  const { kind, w } = editing;
  return kind === 'message' ? <Source editing={editing} /> : <Rows editing={editing} kind={kind} w={w} />;
}

function Source({ editing: { draft, set, wrong, w } }: { editing: Editing }) {
  const source = draft.source ?? { url: '', statedOn: '' };
  return (
    <Section title={w.sourceTitle} isOpen isWrong={Boolean(wrong('source'))}>
      <p class="soft">{w.sourceSays}</p>
      <div class="pair">
        <Text
          label={w.sourceUrl}
          type="url"
          value={source.url}
          set={(url) => set({ source: { ...source, url } })}
          wrong={wrong('source.url')}
        />
        <Text
          label={w.sourceOn}
          type="date"
          value={source.statedOn}
          set={(statedOn) => set({ source: { ...source, statedOn } })}
          wrong={wrong('source.statedOn')}
        />
      </div>
    </Section>
  );
}

function Rows({
  editing: { draft, set, wrong },
  kind,
  w,
}: {
  editing: Editing;
  kind: Exclude<Kind, 'message'>;
  w: Editing['w'];
}) {
  const claim = draft.claim!;
  const event = claim.of.startsWith('event:') ? claim.of.slice('event:'.length) : null;
  const of = event === null ? claim.of : 'event';
  const change = (part: Partial<typeof claim>) => set({ claim: { ...claim, ...part } });
  const narrow = (part: { [Name in keyof Where]?: Where[Name] | undefined }) => {
    const where = { ...claim.where, ...part };
    change({
      where: Object.fromEntries(Object.entries(where).filter(([, value]) => value !== undefined)) as Where,
    });
  };
  const names = kind === 'live_visitors' ? (['path'] as const) : (WHERE[of] ?? []);
  return (
    <Section title={w.claimTitle} isOpen isWrong={Boolean(wrong('claim'))}>
      <div class="pair">
        {OF[kind].length > 1 && (
          <Pick
            label={w.of}
            value={of}
            of={OF[kind].map((one) => [one, w.claims[one]!] as const)}
            set={(next) => change({ of: (next === 'event' ? 'event:' : next) as Of, where: {} })}
            wrong={event === null ? wrong('claim.of') : undefined}
          />
        )}
        {event !== null && (
          <Text
            label={w.event}
            value={event}
            maxLength={64}
            set={(type) => change({ of: `event:${type}` })}
            wrong={wrong('claim.of') && w.eventHint}
          />
        )}
        {names.map((name) =>
          name === 'ratingAtLeast' ? (
            <Numeral
              key={name}
              label={w.where.ratingAtLeast}
              hint={w.ratingHint}
              min={1}
              max={5}
              value={claim.where.ratingAtLeast ?? null}
              set={(rating) => narrow({ ratingAtLeast: rating ?? undefined })}
              wrong={wrong('claim.where.ratingAtLeast')}
            />
          ) : (
            <Text
              key={name}
              label={w.where[name]}
              value={claim.where[name] ?? ''}
              set={(text) =>
                narrow({ [name]: text === '' ? undefined : name === 'country' ? text.toUpperCase() : text })
              }
              wrong={wrong(`claim.where.${name}`)}
            />
          ),
        )}
      </div>
      <div class="pair">
        {kind !== 'live_visitors' && (
          <Numeral
            label={w.days}
            min={1}
            max={90}
            value={claim.days}
            set={(days) => change({ days: days! })}
            wrong={wrong('claim.days')}
          />
        )}
        <Numeral
          label={w.minimum}
          hint={w.minimumHint}
          min={3}
          max={1_000_000}
          value={claim.minimum}
          set={(minimum) => change({ minimum: minimum! })}
          wrong={wrong('claim.minimum')}
        />
      </div>
    </Section>
  );
}
