import { accessIds, type Ids, integrationIds } from './ids.ts'

/** One of the two logs, as data: all that differs between them stands here. */
export interface Log {
  readonly name: 'access' | 'integration'
  readonly method: string
  /** The field of the answer that holds the entries. */
  readonly list: string
  /** The field with an entry's own time, which the watermark and the floors mean. */
  readonly timeField: string
  /** The field that says when an entry began. The integration log has one time, so there it is the same field. */
  readonly beganField: string
  /** Rows per page with a cursor. Undefined where the method knows no cursor. */
  readonly limit: number | undefined
  /** Rows per page with page numbers. */
  readonly count: number
  /** Whether the method takes `before`, so that a walk can go on below the last page Slack gives. */
  readonly hasBefore: boolean
  readonly ids: (teamId: string, entry: Record<string, unknown>) => Ids
}

/** `limit` must stay "under 1000" (docs.slack.dev, team.accessLogs); `count` may be 1000 in both methods. */
export const LOGS: Record<Log['name'], Log> = {
  access: {
    name: 'access',
    method: 'team.accessLogs',
    list: 'logins',
    timeField: 'date_last',
    beganField: 'date_first',
    limit: 999,
    count: 1000,
    hasBefore: true,
    ids: accessIds,
  },
  integration: {
    name: 'integration',
    method: 'team.integrationLogs',
    list: 'logs',
    timeField: 'date',
    beganField: 'date',
    limit: undefined,
    count: 1000,
    hasBefore: false,
    ids: integrationIds,
  },
}
