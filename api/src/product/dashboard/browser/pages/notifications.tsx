// What a site tells its visitors about other people, and how that looks: lists, and one of each to edit.

import { place } from '../lib/state.ts';
import { EditNotification } from '../notifications/edit.tsx';
import { NotificationList } from '../notifications/list.tsx';
import { NewNotification } from '../notifications/new.tsx';
import { EditTemplate } from '../notifications/template.tsx';
import { TemplateList } from '../notifications/templates.tsx';

export function Notifications() {
  const { id } = place.value;
  if (id === null) return <NotificationList />;
  return id === 'new' ? <NewNotification /> : <EditNotification id={id} />;
}

export function Templates() {
  const { id } = place.value;
  return id === null ? <TemplateList /> : <EditTemplate id={id} />;
}
