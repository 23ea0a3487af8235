// What GET /v1/admin/status says.
import { z } from 'zod';

export const statusShape = z.object({ version: z.string() });
