import { accessIds, type Ids, integrationIds } from './ids.ts'

/** One of the two logs, as data: everything in which they differ. */
export interface Log {
  readonly name: 'access' | 'integration'
  readonly method: string
  /** The field of the answer that holds the entries. */
  readonly list: string
  /** The field with an entry's own time, which watermarks and floors refer to. */
  readonly timeField: string
  /** The field with the time an entry began. The integration log has one time, so it is the same field there. */
  readonly beganField: string
  /** Rows per page with a cursor. Undefined where the method has no cursors. */
  readonly cursorPageSize: number | undefined
  /** Rows per page with page numbers. */
  readonly pageSize: number
  /** Whether the method takes `before`, so that a walk can continue below the last page Slack gives. */
  readonly hasBefore: boolean
  readonly ids: (teamId: string, entry: Record<string, unknown>) => Ids
}

/** Slack's `limit` must stay "under 1000" (docs.slack.dev, team.accessLogs); its `count` may be 1000 in both methods. */
export const LOGS: Record<Log['name'], Log> = {
  access: {
    name: 'access',
    method: 'team.accessLogs',
    list: 'logins',
    timeField: 'date_last',
    beganField: 'date_first',
    cursorPageSize: 999,
    pageSize: 1000,
    hasBefore: true,
    ids: accessIds,
  },
  integration: {
    name: 'integration',
    method: 'team.integrationLogs',
    list: 'logs',
    timeField: 'date',
    beganField: 'date',
    cursorPageSize: undefined,
    pageSize: 1000,
    hasBefore: false,
    ids: integrationIds,
  },
}
