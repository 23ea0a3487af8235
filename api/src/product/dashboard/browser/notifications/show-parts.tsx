// Where a notification shows, to whom, when, how often, and how it looks.
import { site } from '../lib/state.ts';
import { clockOf, momentOf } from '../lib/zoned.ts';
import { Copy } from '../parts/copy.tsx';
import type { Content, Editing } from './draft.ts';
import { List, Numeral, Pick, Section, Text, Ticks } from './fields.tsx';
import type { TemplateRow } from './templates.tsx';

const CHANNELS = ['toast', 'bar', 'inline', 'page'] as const;
const DEVICES = ['desktop', 'mobile', 'tablet'] as const;
const upper = (all: string[]) => all.map((one) => one.toUpperCase());

export function LooksPart({
  editing: { draft, set, wrong, w },
  id,
  templates,
}: {
  editing: Editing;
  id: string;
  templates: readonly TemplateRow[];
}) {
  const address = `${location.origin}/v1/feed.html?site=${encodeURIComponent(site.value!.key)}`;
  return (
    <Section
      title={w.looksTitle}
      says={draft.channels.map((one) => w.channels[one]).join(', ')}
      isWrong={Boolean(wrong('channels') ?? wrong('templateId') ?? wrong('priority'))}
    >
      <Ticks
        label={w.channelsTitle}
        value={draft.channels}
        set={(channels) => set({ channels })}
        of={CHANNELS.map((one) => [one, w.channels[one]] as const)}
        wrong={wrong('channels')}
      />
      {draft.channels.includes('inline') && (
        <>
          <p class="soft">{w.inlineSays}</p>
          <Copy text={`<div data-mk-place="${id}" style="min-height:76px"></div>`} label={w.inlineLine} />
        </>
      )}
      {draft.channels.includes('page') && (
        <>
          <p class="soft">{w.pageSays}</p>
          <Copy
            text={`<iframe src="${address}" title="" loading="lazy" style="border:0"></iframe>`}
            label={w.pageLine}
          />
        </>
      )}
      <div class="pair">
        <Pick
          label={w.template}
          value={draft.templateId ?? ''}
          set={(templateId) => set({ templateId: templateId || null })}
          of={[['', w.plain], ...templates.map((one) => [one.templateId, one.name] as const)]}
          wrong={wrong('templateId')}
        />
        <Numeral
          label={w.priority}
          hint={w.priorityHint}
          min={-100}
          max={100}
          value={draft.priority}
          set={(priority) => set({ priority: priority! })}
          wrong={wrong('priority')}
        />
      </div>
    </Section>
  );
}

export function TargetingPart({ editing: { draft, set, wrong, w } }: { editing: Editing }) {
  const { targeting } = draft;
  const change = (part: Partial<Content['targeting']>) => set({ targeting: { ...targeting, ...part } });
  const says = [
    targeting.include.join(', ') || w.everyPage,
    targeting.visitors === 'all' ? '' : w.visitors[targeting.visitors],
    ...targeting.devices.map((one) => w.devices[one]),
    ...targeting.countries,
  ];
  return (
    <Section
      title={w.targetingTitle}
      says={says.filter(Boolean).join(' · ')}
      isWrong={Boolean(wrong('targeting'))}
    >
      <div class="pair">
        <List
          isLines
          label={w.include}
          hint={w.pathsHint}
          value={targeting.include}
          set={(include) => change({ include })}
          wrong={wrong('targeting.include')}
        />
        <List
          isLines
          label={w.exclude}
          value={targeting.exclude}
          set={(exclude) => change({ exclude })}
          wrong={wrong('targeting.exclude')}
        />
      </div>
      <Ticks
        label={w.devicesTitle}
        hint={w.noneIsAll}
        value={targeting.devices}
        set={(devices) => change({ devices })}
        of={DEVICES.map((one) => [one, w.devices[one]] as const)}
        wrong={wrong('targeting.devices')}
      />
      <div class="pair">
        <Pick
          label={w.visitorsTitle}
          value={targeting.visitors}
          set={(visitors) => change({ visitors })}
          of={(['all', 'new', 'returning'] as const).map((one) => [one, w.visitors[one]] as const)}
          wrong={wrong('targeting.visitors')}
        />
        <Pick
          label={w.consent}
          value={targeting.consent}
          set={(consent) => change({ consent })}
          of={(['any', 'full'] as const).map((one) => [one, w.consents[one]] as const)}
          wrong={wrong('targeting.consent')}
        />
        <List
          label={w.sources}
          hint={w.sourcesHint}
          value={targeting.sources}
          set={(sources) => change({ sources })}
          wrong={wrong('targeting.sources')}
        />
        <List
          label={w.countries}
          hint={w.countriesHint}
          value={targeting.countries}
          set={(countries) => change({ countries: upper(countries) })}
          wrong={wrong('targeting.countries')}
        />
        <List
          label={w.languages}
          hint={w.languagesHint}
          value={targeting.languages}
          set={(languages) => change({ languages })}
          wrong={wrong('targeting.languages')}
        />
      </div>
    </Section>
  );
}

export function TriggerPart({ editing: { draft, set, wrong, w } }: { editing: Editing }) {
  const { trigger, frequency } = draft;
  const change = (part: Partial<Content['trigger']>) => set({ trigger: { ...trigger, ...part } });
  const often = (part: Partial<Content['frequency']>) => set({ frequency: { ...frequency, ...part } });
  return (
    <Section
      title={w.triggerTitle}
      says={w.triggerSays(trigger.afterMs / 1000, frequency.perSession, frequency.perDay)}
      isWrong={Boolean(wrong('trigger') ?? wrong('frequency'))}
    >
      <p class="soft">{w.allTogether}</p>
      <div class="pair">
        <Numeral
          label={w.after}
          min={0}
          max={600}
          step="any"
          value={trigger.afterMs / 1000}
          set={(seconds) => change({ afterMs: Math.round((seconds ?? 0) * 1000) })}
          wrong={wrong('trigger.afterMs')}
        />
        <Numeral
          label={w.scroll}
          hint={w.scrollHint}
          min={1}
          max={100}
          value={trigger.scrollPercent}
          set={(scrollPercent) => change({ scrollPercent })}
          wrong={wrong('trigger.scrollPercent')}
        />
      </div>
      <p>
        <label class="check">
          <input
            type="checkbox"
            checked={trigger.exitIntent}
            onChange={({ currentTarget }) => change({ exitIntent: currentTarget.checked })}
          />{' '}
          {w.exitIntent}
        </label>
      </p>
      <div class="pair">
        <Numeral
          label={w.perSession}
          min={1}
          max={20}
          value={frequency.perSession}
          set={(perSession) => often({ perSession: perSession! })}
          wrong={wrong('frequency.perSession')}
        />
        <Numeral
          label={w.perDay}
          min={1}
          max={20}
          value={frequency.perDay}
          set={(perDay) => often({ perDay: perDay! })}
          wrong={wrong('frequency.perDay')}
        />
        <Numeral
          label={w.gap}
          min={0}
          max={3600}
          step="any"
          value={frequency.gapMs / 1000}
          set={(seconds) => often({ gapMs: Math.round((seconds ?? 0) * 1000) })}
          wrong={wrong('frequency.gapMs')}
        />
        <Numeral
          label={w.afterDismiss}
          min={0}
          max={365}
          value={frequency.afterDismissDays}
          set={(afterDismissDays) => often({ afterDismissDays: afterDismissDays! })}
          wrong={wrong('frequency.afterDismissDays')}
        />
      </div>
    </Section>
  );
}

/** "9-17, 20-22" as spans of hours; what is no span is sent as it is no span, and refused in words. */
const hoursIn = (all: string[]): Content['schedule']['hours'] =>
  all.map((one) => {
    const [from, to] = one.split(/\s*[-–]\s*/).map(Number);
    return { from: from!, to: to! };
  });

function isZone(name: string | null): name is string {
  try {
    return (
      name !== null && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
    );
  } catch {
    return false;
  }
}

export function SchedulePart({ editing: { draft, set, wrong, w } }: { editing: Editing }) {
  const { schedule } = draft;
  const change = (part: Partial<Content['schedule']>) => set({ schedule: { ...schedule, ...part } });
  const zone = isZone(schedule.timeZone) ? schedule.timeZone : site.value!.timeZone;
  const clock = (instant: string | null) => (instant === null ? '' : clockOf(Date.parse(instant), zone));
  const moment = (text: string) => (text === '' ? null : new Date(momentOf(text, zone)).toISOString());
  const weekdays = [1, 2, 3, 4, 5, 6, 7].map((day) => [day, w.weekdays[day - 1]!] as const);
  const says = [
    schedule.from && w.from(clock(schedule.from).replace('T', ' ')),
    schedule.to && w.until(clock(schedule.to).replace('T', ' ')),
    ...schedule.weekdays.map((day) => w.weekdays[day - 1]),
    ...schedule.hours.map(({ from, to }) => `${from}–${to} h`),
  ].filter(Boolean);
  return (
    <Section title={w.scheduleTitle} says={says.join(' · ') || w.always} isWrong={Boolean(wrong('schedule'))}>
      <p class="soft">{w.zone(zone)}</p>
      <div class="pair">
        <Text
          label={w.begins}
          type="datetime-local"
          value={clock(schedule.from)}
          set={(text) => change({ from: moment(text) })}
          wrong={wrong('schedule.from')}
        />
        <Text
          label={w.ends}
          type="datetime-local"
          value={clock(schedule.to)}
          set={(text) => change({ to: moment(text) })}
          wrong={wrong('schedule.to')}
        />
      </div>
      <Ticks
        label={w.weekdaysTitle}
        hint={w.noneIsEvery}
        value={schedule.weekdays}
        set={(days) => change({ weekdays: days })}
        of={weekdays}
        wrong={wrong('schedule.weekdays')}
      />
      <div class="pair">
        <List
          label={w.hours}
          hint={w.hoursHint}
          value={schedule.hours.map(({ from, to }) => `${from}-${to}`)}
          set={(all) => change({ hours: hoursIn(all) })}
          wrong={wrong('schedule.hours') && w.hoursWrong}
        />
        <Text
          label={w.timeZone}
          hint={w.timeZoneHint(site.value!.timeZone)}
          value={schedule.timeZone ?? ''}
          set={(name) => change({ timeZone: name || null })}
          wrong={wrong('schedule.timeZone')}
        />
      </div>
    </Section>
  );
}
