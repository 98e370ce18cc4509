/**
 * The Splunk searches that cannot be made from the query of a detection, by its slug. `{list}` is one of the lists,
 * `{fresh:field}` asks whether a time is within what a run looks at.
 */
import type { Span } from './detection.ts'

export interface SplunkSearch {
  /** Why it is not made from the query. */
  because: string
  /** How far back it looks. */
  earliest: Span
  search: string
  /** Fields of a result that name what was found; it is not reported again for a day. */
  names: string[]
}

/** Changes after which an app may call. A request, a refusal or a removal is none of them. */
const GRANTING =
  '^(added|enabled|reissued|updated|expanded|bot_token_upgraded|.*resource_grant_created|app_whitelist_added|app_whitelist_approved.*)$'
const REFUSED = '^(denied|rejected|restricted)$'
/** When an app was last granted something: 0 where the entry does not say so. */
const GRANTED = `granted=if(match(coalesce('integration.change_type', ""), "${GRANTING}") AND NOT (match(coalesce('integration.resolution', ""), "${REFUSED}")), _time, 0)`

/**
 * Keeps which apps were added in a lookup. So nothing searches two years of events twice an hour, and what
 * is known outlives the events.
 */
export const KNOWN_APPS = {
  name: 'Slack: keep the list of known apps',
  description: 'Writes the lookup slack_auditor_apps, on which the detection of unknown apps rests.',
  search: `sourcetype=slack.integration app.id=*
| eval app_id='app.id', app_name='app.name', ${GRANTED}
| inputlookup append=true slack_auditor_apps
| stats max(granted) AS granted, values(app_name) AS app_name BY app_id
| outputlookup slack_auditor_apps`,
  cron: '7 3 * * *',
}

export const SPLUNK_SEARCHES: Record<string, SplunkSearch> = {
  'access-unknown-app': {
    because: 'it asks a lookup which apps were ever added, instead of two years of events',
    earliest: '30d',
    search: `((sourcetype=slack.access client.type=api NOT access.user_id=0) OR sourcetype=slack.integration) app.id=* NOT {own_app}
| eval app_id='app.id', used=if(sourcetype="slack.access", _indextime, null()), ${GRANTED}
| inputlookup append=true slack_auditor_apps
| stats min(used) AS first_used, max(granted) AS granted, max(_time) AS _time, values(access.username) AS members, values(access.ip) AS addresses, values(access.user_agent) AS agents BY app_id
| where {fresh:first_used} AND granted=0`,
    names: ['app_id'],
  },
  'collector-silent': {
    because: 'it asks, by workspace and log, for what did not come; for a week after the last success',
    earliest: '7d',
    search: `sourcetype=slack.auditor run.outcome=success
| stats max(_time) AS _time BY team.id, team.name, run.log
| where _time < now()-7200`,
    names: ['team.id', 'run.log'],
  },
  'collector-foreign-line': {
    because: 'such a line has no id: Splunk is sent nothing but its text',
    earliest: '7d',
    search: `sourcetype=slack.auditor line=*
| where {fresh:_indextime}
| dedup line
| table _time, line`,
    names: ['line'],
  },
}
