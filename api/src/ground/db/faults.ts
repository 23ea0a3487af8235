// What PostgreSQL's SQLSTATEs mean here.
export const UNIQUE_VIOLATION = '23505';
