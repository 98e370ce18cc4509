/**
 * The dashboard, written once. `npm run build:detections` makes the saved objects for Kibana and the dashboard of the
 * Splunk app from it. The fields are those of the events in Elasticsearch.
 */

/** The width of the dashboard. */
export const COLUMNS = 48

export interface Section {
  title: string
  /** From left to right; a panel that does not fit into the row starts the next one. */
  panels: Panel[]
}

export interface Panel {
  slug: string
  /** What is counted, by what. */
  title: string
  /** One sentence: what to look for. */
  what: string
  /** In columns, of COLUMNS. */
  width: number
  dataset: 'slack.access' | 'slack.integration' | 'slack.auditor'
  /** Which events, in Lucene syntax. Empty: all of them. */
  query: string
  show: Show
}

/** What is measured, with its unit. */
export type Measure =
  | { unit: string; events: true }
  | { unit: string; distinct: string }
  | { unit: string; max: string; divideBy?: number }
  | { unit: string; sum: string }

export type Show =
  /** Over time: one line per measure, or one measure with a line (or part of a column) per value of a field. */
  | { as: 'lines' | 'columns'; of: Measure[]; by?: string }
  /** The values of a field with the most of it. */
  | { as: 'ranking'; of: Measure; by: string }
  /** Two fields against each other. */
  | { as: 'grid'; of: Measure; rows: string; columns: string }
  /** One line per value of a field, with what goes with it. The first column is sorted by. */
  | { as: 'groups'; by: string; title: string; columns: Column[] }
  /** The latest events. */
  | { as: 'latest'; columns: { title: string; field: string; share: number }[] }
  /** How long ago the last event of each pair of values was. */
  | { as: 'age'; rows: string; columns: string; unit: string; late: number }

export interface Column {
  title: string
  /** The number of different values, the most frequent of them, or the time of the last event. */
  of: { distinct: string } | { values: string } | { last: true }
  /** Part of the width. */
  share: number
}

const PERSON = 'NOT user.id:0'

export const SECTIONS: Section[] = [
  {
    title: 'Who, from where, with what',
    panels: [
      {
        slug: 'members-by-client',
        title: 'Members by kind of client',
        what: 'How many members used Slack, and with what kind of client. Unknown clients and a rise of api deserve a look.',
        width: 24,
        dataset: 'slack.access',
        query: PERSON,
        show: { as: 'lines', of: [{ unit: 'members', distinct: 'user.id' }], by: 'slack.client.type' },
      },
      {
        slug: 'countries',
        title: 'Members by country',
        what: 'Countries where nobody works do not belong here. Slack guesses the country from the address.',
        width: 12,
        dataset: 'slack.access',
        query: `${PERSON} AND NOT slack.client.type:api`,
        show: {
          as: 'ranking',
          of: { unit: 'members', distinct: 'user.id' },
          by: 'slack.client.country',
        },
      },
      {
        slug: 'providers',
        title: 'Members by provider',
        what: 'Homes, offices and phones. A hosting provider among them is somebody behind a VPN, or something worse.',
        width: 12,
        dataset: 'slack.access',
        query: `${PERSON} AND NOT slack.client.type:api`,
        show: {
          as: 'ranking',
          of: { unit: 'members', distinct: 'user.id' },
          by: 'source.as.organization.name',
        },
      },
      {
        slug: 'programs',
        title: 'Members by program and system',
        what: 'What members use Slack with: a client, a browser, or a script. A square with one member is worth a question.',
        width: 18,
        dataset: 'slack.access',
        query: `${PERSON} AND NOT slack.app.id:*`,
        show: {
          as: 'grid',
          of: { unit: 'members', distinct: 'user.id' },
          rows: 'slack.client.program',
          columns: 'slack.client.os',
        },
      },
      {
        slug: 'members',
        title: 'Members in the most countries',
        what: 'Members who were seen in several countries, with their providers and the time they were last seen.',
        width: 30,
        dataset: 'slack.access',
        query: `${PERSON} AND NOT slack.client.type:api AND NOT slack.client.country:none`,
        show: {
          as: 'groups',
          by: 'user.name',
          title: 'Member',
          columns: [
            { title: 'Countries', of: { distinct: 'slack.client.country' }, share: 10 },
            { title: 'Which', of: { values: 'slack.client.country' }, share: 14 },
            { title: 'Addresses', of: { distinct: 'source.address' }, share: 11 },
            { title: 'Providers', of: { values: 'source.as.organization.name' }, share: 32 },
            { title: 'Last seen', of: { last: true }, share: 15 },
          ],
        },
      },
    ],
  },
  {
    title: 'Which apps call for whom',
    panels: [
      {
        slug: 'apps',
        title: 'Members by app that calls in their name',
        what: 'An app reads what these members can read. Its name is in the integration log.',
        width: 14,
        dataset: 'slack.access',
        query: PERSON,
        show: { as: 'ranking', of: { unit: 'members', distinct: 'user.id' }, by: 'slack.app.id' },
      },
      {
        slug: 'apps-and-members',
        title: 'Rows by app and member',
        what: 'For whom an app calls, and how often. A lone dark square is one member with much traffic.',
        width: 34,
        dataset: 'slack.access',
        query: `${PERSON} AND slack.app.id:*`,
        show: {
          as: 'grid',
          of: { unit: 'rows', events: true },
          rows: 'slack.app.id',
          columns: 'user.name',
        },
      },
      {
        slug: 'apps-from-where',
        title: 'Where the calls of apps come from',
        what: 'An app usually calls from one provider, with one library. Another one may be a stolen token.',
        width: 48,
        dataset: 'slack.access',
        query: `${PERSON} AND slack.app.id:*`,
        show: {
          as: 'groups',
          by: 'slack.app.id',
          title: 'App',
          columns: [
            { title: 'Providers', of: { distinct: 'source.as.organization.name' }, share: 8 },
            { title: 'Which', of: { values: 'source.as.organization.name' }, share: 34 },
            { title: 'Addresses', of: { distinct: 'source.address' }, share: 9 },
            { title: 'Members', of: { distinct: 'user.id' }, share: 9 },
            { title: 'Libraries', of: { values: 'slack.client.program' }, share: 24 },
            { title: 'Countries', of: { values: 'slack.client.country' }, share: 14 },
            { title: 'Last call', of: { last: true }, share: 13 },
          ],
        },
      },
    ],
  },
  {
    title: 'What changed among integrations',
    panels: [
      {
        slug: 'changes',
        title: 'Changes by kind',
        what: 'A tall column is a clean-up, somebody who left, or sabotage.',
        width: 20,
        dataset: 'slack.integration',
        query: '',
        show: { as: 'columns', of: [{ unit: 'changes', events: true }], by: 'event.action' },
      },
      {
        slug: 'latest-changes',
        title: 'Latest changes',
        what: 'Who changed which app, and how.',
        width: 28,
        dataset: 'slack.integration',
        query: '',
        show: {
          as: 'latest',
          columns: [
            { title: 'Time', field: '@timestamp', share: 17 },
            { title: 'Member', field: 'user.name', share: 17 },
            { title: 'Change', field: 'event.action', share: 26 },
            { title: 'App', field: 'slack.app.name', share: 22 },
            { title: 'Reason', field: 'event.reason', share: 18 },
          ],
        },
      },
    ],
  },
  {
    title: 'Is the collector healthy',
    panels: [
      {
        slug: 'last-success',
        title: 'Minutes since the last successful run',
        what: 'By workspace and log. Red: more than two hours ago. A log that is missing had no success in this time range.',
        width: 14,
        dataset: 'slack.auditor',
        query: 'event.outcome:success',
        show: {
          as: 'age',
          rows: 'organization.name',
          columns: 'slack.run.log',
          unit: 'minutes ago',
          late: 120,
        },
      },
      {
        slug: 'rows',
        title: 'Rows read and printed',
        what: 'Every run reads one look-back again, so it reads more than it prints. No rows read for long is a fault.',
        width: 17,
        dataset: 'slack.auditor',
        query: '',
        show: {
          as: 'lines',
          of: [
            { unit: 'rows read', sum: 'slack.run.rows_read' },
            { unit: 'rows printed', sum: 'slack.run.rows_printed' },
          ],
        },
      },
      {
        slug: 'look-back',
        title: 'Look-back and longest row',
        what: 'The look-back is twice the longest row, at least a day more. Near 30 days, long rows may be missed.',
        width: 17,
        dataset: 'slack.auditor',
        query: 'slack.run.log:access',
        show: {
          as: 'lines',
          of: [
            { unit: 'look-back, days', max: 'slack.run.lookback_s', divideBy: 86_400 },
            { unit: 'longest row, days', max: 'slack.run.longest_row_s', divideBy: 86_400 },
          ],
        },
      },
      {
        slug: 'gaps',
        title: 'Gaps by log',
        what: 'Parts of a log that are still to be read. They should go back to zero after a backfill.',
        width: 24,
        dataset: 'slack.auditor',
        query: '',
        show: { as: 'lines', of: [{ unit: 'gaps', max: 'slack.run.gaps' }], by: 'slack.run.log' },
      },
      {
        slug: 'failures',
        title: 'Failed runs by error',
        what: 'Empty is good. The manual says what each error means and what to do.',
        width: 24,
        dataset: 'slack.auditor',
        query: 'event.outcome:failure',
        show: { as: 'ranking', of: { unit: 'failed runs', events: true }, by: 'error.code' },
      },
    ],
  },
]
