// Custom fields of a site: which there are, and what a value of each has to be.
import { z } from 'zod';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { CustomFields } from './known.ts';
import { deleteField, insertField, listFields, lockField, updateField } from './queries.ts';
import {
  type CustomField,
  customFieldPatch,
  customFieldShape,
  FIELDS_MAX,
  newCustomField,
} from './schema.ts';

export interface CustomFieldNeeds {
  db: Pool;
  customFields: Pick<CustomFields, 'reload'>;
}

const AT = '/v1/sites/:siteId/custom-fields';
const BODY_BYTES_MAX = 32 * 1024;
const common = { tag: 'custom-fields', who: 'settings', of: 'path' } as const;
const one = z.object({ field: customFieldShape });

export function customFieldRoutes({ db, customFields }: CustomFieldNeeds): Route[] {
  /** Of the version that is named, under its lock. throws  not_found, precondition_failed */
  async function change<T>(call: Call, work: (tx: Db, field: CustomField) => Promise<T>): Promise<T> {
    const { siteId } = call.site;
    const fieldId = call.params.fieldId!;
    call.note({ target: fieldId });
    const done = await inSites(db, siteId, async (tx) => {
      const field = await lockField(tx, siteId, fieldId);
      if (!field) throw new AppError('not_found', 'This site has no custom field with this id.');
      checkVersion(call, field.version);
      return work(tx, field);
    });
    await customFields.reload();
    return done;
  }

  return [
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listCustomFields',
      says: `Custom fields of a site; ${FIELDS_MAX} at most`,
      shows: 'no people',
      answers: { 200: z.object({ fields: z.array(customFieldShape) }) },
      run: async (_input, { site: { siteId } }) => ({
        fields: await inSites(db, siteId, (tx) => listFields(tx, siteId)),
      }),
    }),
    route({
      ...common,
      at: `POST ${AT}`,
      id: 'createCustomField',
      says: 'Defines a field of leads, visitors or events; from here on a wrong value is left out, with a warning',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newCustomField },
      answers: { 201: one },
      async run(wanted, call) {
        const { siteId } = call.site;
        const field = await inSites(db, siteId, (tx) => insertField(tx, siteId, wanted)).catch(
          (error: unknown) => {
            if (!isUniqueViolation(error)) throw error;
            const issues = [{ path: 'name', message: 'is taken' }];
            throw new AppError(
              'conflict',
              'The site has a field of this name there already; of visitors and events a name is one.',
              { issues },
            );
          },
        );
        if (!field)
          throw new AppError('conflict', `A site has ${FIELDS_MAX} custom fields at most. Delete one first.`);
        await customFields.reload();
        call.note({ target: field.fieldId, details: { on: wanted.on, fieldType: wanted.fieldType } });
        return created({ field });
      },
    }),
    route({
      ...common,
      at: `PATCH ${AT}/:fieldId`,
      id: 'updateCustomField',
      says: 'Changes options, or whether it is personal; needs If-Match with its version. Name and type stay',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: customFieldPatch },
      answers: { 200: one },
      async run(patch, call) {
        call.note({ details: { changed: Object.keys(patch) } });
        const field = await change(call, (tx, before) => {
          if (patch.options && before.fieldType !== 'enum')
            throw new AppError('invalid_request', 'Only an enum has options.', {
              issues: [{ path: 'options', message: 'only an enum has them' }],
            });
          return updateField(tx, call.site.siteId, before.fieldId, patch);
        });
        return { field };
      },
    }),
    route({
      ...common,
      at: `DELETE ${AT}/:fieldId`,
      id: 'deleteCustomField',
      says: 'Ends a definition; needs If-Match with its version. Values that are there stay, with their leads and events',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        await change(call, (tx, { fieldId }) => deleteField(tx, call.site.siteId, fieldId));
        return {};
      },
    }),
  ];
}
