// What is kept of custom fields. Their values stand with leads and events, and end with them.
import type { Tables } from '../../ground/tables.ts';

export const customFieldTables: Tables = {
  custom_fields: {
    holds: 'fields that a site defines for itself: names, types, what may be chosen',
    columns: { name: 'operator', field_type: 'bounded', applies_to: 'bounded', options: 'operator' },
    kept: { ever: 'until it is deleted; fifty a site' },
  },
};
