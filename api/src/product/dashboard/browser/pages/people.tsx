// Who may come in here, as what, and who was asked to: other people's accounts and open invitations.
import { useState } from 'preact/hooks';
import type { Capability } from '../../../../ground/http/caller.ts';
import { mayAs, type Role, SITE_ROLES } from '../../../../ground/http/roles.ts';
import type { Invitation } from '../../../accounts/invitation-routes.ts';
import type { ShownUser } from '../../../accounts/shapes.ts';
import { ask } from '../lib/ask.ts';
import { useDeed } from '../lib/deed.ts';
import { format, language, me, words } from '../lib/state.ts';
import { usePages } from '../lib/use-pages.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Entries } from '../parts/entries.tsx';
import { Field, Form } from '../parts/form.tsx';
import { More } from '../parts/more.tsx';
import { Problem } from '../parts/problem.tsx';
import { namesOf, ownSites, SitesChoice, sitesOf } from '../parts/sites-choice.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Table } from '../parts/table.tsx';
import { PageTabs, SETTINGS } from '../parts/tabs.tsx';
import { access as en } from '../words/en/access.ts';
import { access as fr } from '../words/fr/access.ts';

const wordsOf = () => (language.value === 'fr' ? fr : en);
const ROLES: readonly Role[] = ['owner', ...SITE_ROLES];
const nameOf = ({ fullName, email, userId }: ShownUser): string => fullName ?? email ?? userId;

function factsOf(user: ShownUser) {
  const w = wordsOf();
  const f = format.value;
  const factor = user.secondFactor
    ? w.withFactor
    : user.secondFactorDue
      ? w.factorDue(f.moment(user.secondFactorDue))
      : w.withoutFactor;
  return [
    ...(user.isOwner
      ? [w.ownerEverywhere]
      : user.grants.map(({ siteId, role }) => w.atSite(namesOf([siteId]), w.roles[role]))),
    factor,
    w.since(f.date(user.createdAt.slice(0, 10))),
  ];
}

/** What somebody is where, and how they are shut out. */
function Change({ user, close, changed }: { user: ShownUser; close(): void; changed(): Promise<void> }) {
  const w = wordsOf();
  const path = `/v1/users/${user.userId}`;
  const [isOwner, setOwner] = useState(user.isOwner);
  const [said, say] = useState('');
  const { act: letIn, refused } = useDeed(changed);
  const name = nameOf(user);
  const act = async (how: Parameters<typeof ask>[1], at = path) => {
    const answer = await ask<{ sessionsEnded?: number }>(at, how);
    await changed();
    return answer;
  };
  return (
    <Dialog title={w.changeOf(name)} close={close}>
      <Form
        send={words.value!.save}
        onSend={async (values) => {
          const grants = ownSites().flatMap(({ siteId }) => {
            const role = values[`role-${siteId}`];
            return role ? [{ site: siteId, role }] : [];
          });
          const owner = me.value!.isOwner ? { isOwner } : {};
          await act({ method: 'PATCH', body: { ...owner, ...(isOwner ? {} : { grants }) } });
          close();
        }}
      >
        {() => (
          <>
            {me.value!.isOwner && (
              <p>
                <label class="check">
                  <input
                    type="checkbox"
                    checked={isOwner}
                    onChange={(event) => setOwner(event.currentTarget.checked)}
                  />{' '}
                  {w.isOwner}
                </label>
              </p>
            )}
            {!isOwner &&
              ownSites().map((one) => (
                <Choice
                  key={one.siteId}
                  name={`role-${one.siteId}`}
                  label={w.roleAt(one.name)}
                  of={[['', w.nothing], ...SITE_ROLES.map((role) => [role, w.roles[role]] as const)]}
                  value={user.grants.find(({ siteId }) => siteId === one.siteId)?.role ?? ''}
                />
              ))}
          </>
        )}
      </Form>
      {said && <p role="status">{said}</p>}
      {refused && <Problem problem={refused} />}
      <p class="actions apart">
        <Confirm
          isQuiet
          label={w.endSessions}
          says={w.endSessionsSays}
          act={async () => {
            const { sessionsEnded = 0 } = await act({ method: 'DELETE' }, `${path}/sessions`);
            say(w.sessionsEnded(sessionsEnded));
          }}
        />
        {user.disabledAt ? (
          <button
            type="button"
            class="quiet"
            onClick={() =>
              letIn(path, { method: 'PATCH', body: { disabled: false } }).then((done) => done && close())
            }
          >
            {w.enable}
          </button>
        ) : (
          <Confirm
            label={w.disable}
            says={w.disableSays}
            act={() => act({ method: 'PATCH', body: { disabled: true } }).then(close)}
          />
        )}
        <Confirm
          label={words.value!.remove}
          says={w.removeSays}
          typed={{
            text: user.email ?? user.userId,
            ask: w.typeThis(user.email ?? user.userId),
            not: w.notThis,
          }}
          act={() => act({ method: 'DELETE' }).then(close)}
        />
      </p>
    </Dialog>
  );
}

function Invite({ made }: { made(): Promise<void> }) {
  const w = wordsOf();
  const [link, setLink] = useState<string | null>(null);
  const roles = ROLES.filter((role) => role !== 'owner' || me.value!.isOwner);
  return (
    <section class="card">
      <h2>{w.invite}</h2>
      <p>{w.inviteSays}</p>
      {link && (
        <div role="status">
          <p>{words.value!.onlyNow}</p>
          <Copy text={new URL(link, location.origin).href} label={w.invite} />
        </div>
      )}
      <Form
        send={w.makeInvite}
        onSend={async ({ role, email, ...values }) => {
          const body = {
            role,
            language: language.value,
            ...(role === 'owner' ? {} : sitesOf(values)),
            ...(email ? { email } : {}),
          };
          setLink((await ask<{ link: string }>('/v1/invitations', { body })).link);
          await made();
        }}
      >
        {(wrong) => (
          <>
            <Choice
              name="role"
              label={w.role}
              of={roles.map((role) => [role, w.roles[role]] as const)}
              value="viewer"
              wrong={wrong('role')}
            />
            <SitesChoice says={w.which} hint={w.allIfNone} />
            <Field
              name="email"
              label={w.inviteAddress}
              hint={w.inviteAddressHint}
              type="email"
              optional
              autocomplete="off"
              wrong={wrong('email')}
            />
          </>
        )}
      </Form>
    </section>
  );
}

const RolesTable = () => {
  const w = wordsOf();
  return (
    <details class="card part">
      <summary>
        <h2>{w.may}</h2>
      </summary>
      <Table
        caption={w.may}
        rows={ROLES}
        keyOf={(role) => role}
        columns={[
          { says: w.role, of: (role) => <span class="unbroken">{w.roles[role]}</span> },
          {
            says: w.capability,
            of: (role) =>
              (Object.keys(w.capabilities) as Capability[])
                .filter((one) => mayAs(role, one))
                .map((one) => w.capabilities[one])
                .join('; '),
          },
        ]}
      />
    </details>
  );
};

type Listed<Key extends string, Row> = Record<Key, Row[]> & { nextCursor: string | null };

export function People() {
  const w = wordsOf();
  const users = usePages<Listed<'users', ShownUser>, ShownUser>('/v1/users?limit=50', (a) => a.users);
  const open = usePages<Listed<'invitations', Invitation>, Invitation>(
    '/v1/invitations?limit=50',
    (a) => a.invitations,
  );
  const [changing, setChanging] = useState<ShownUser | null>(null);
  const more = words.value!.moreRows;
  return (
    <>
      <h1 tabIndex={-1}>{words.value!.pages.people}</h1>
      <PageTabs of={SETTINGS} />
      {users.problem && <Problem problem={users.problem} again={users.again} />}
      {!users.rows && !users.problem && <Skeleton />}
      {users.rows && (
        <Entries
          none=""
          of={users.rows.map((user) => ({
            key: user.userId,
            name: user.fullName ?? user.email ?? w.sealed,
            pills: [
              user.userId === me.value!.userId && w.you,
              user.isOwner && w.roles.owner,
              user.disabledAt !== null && w.shutOut,
            ],
            facts: [user.fullName !== null && user.email !== null && user.email, ...factsOf(user)],
            isOver: user.disabledAt !== null,
            actions: user.userId !== me.value!.userId && (
              <button
                type="button"
                class="quiet"
                aria-label={`${w.change}: ${nameOf(user)}`}
                onClick={() => setChanging(user)}
              >
                {w.change}
              </button>
            ),
          }))}
        />
      )}
      <More more={users.more} says={more} />
      {changing && (
        <Change key={changing.userId} user={changing} close={() => setChanging(null)} changed={users.again} />
      )}
      <div class="two">
        <Invite made={open.again} />
        <section>
          <h2>{w.open}</h2>
          {open.rows && (
            <Entries
              none={w.noneOpen}
              of={open.rows.map(({ invitationId, role, siteIds, email, expiresAt }) => ({
                key: invitationId,
                name: email ?? w.anybody,
                pills: [w.roles[role]],
                facts: [namesOf(siteIds), words.value!.until(format.value.moment(expiresAt))],
                actions: (
                  <Confirm
                    label={w.takeBack}
                    of={email ?? w.anybody}
                    says={w.takeBackSays}
                    isQuiet
                    act={() => ask(`/v1/invitations/${invitationId}`, { method: 'DELETE' }).then(open.again)}
                  />
                ),
              }))}
            />
          )}
          <More more={open.more} says={more} />
        </section>
      </div>
      <RolesTable />
    </>
  );
}
