/** Writes the files of the Splunk app that are neither searches nor lists: what it is, how events are read, who may see what. */
import { readFileSync } from 'node:fs'

const BY = '# Written by `npm run build:detections`.'
const SOURCETYPES = ['slack.access', 'slack.integration', 'slack.auditor']

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** File to text, within the app's folder. */
export function appFiles(): Record<string, string> {
  return {
    'default/app.conf': APP,
    'default/props.conf': `${BY}
# KV_MODE is for the search head: the searches rest on the fields of the JSON. The HTTP Event Collector gets each event
# whole and with its time; the lines below KV_MODE are for other inputs. EVAL gives the fields of Splunk's Common
# Information Model: Authentication for the access log, Change for the integration log.

${SOURCETYPES.map(propsOf).join('\n')}`,
    'default/eventtypes.conf': EVENTTYPES,
    'default/tags.conf': TAGS,
    'default/collections.conf': COLLECTIONS,
    'default/transforms.conf': TRANSFORMS,
    'default/data/ui/nav/default.xml': NAVIGATION,
    'metadata/default.meta': META,
  }
}

const APP = `${BY}

[install]
is_configured = 0

[package]
id = slack_auditor
check_for_updates = 0

[id]
name = slack_auditor
version = ${version}

[launcher]
author = slack-auditor
description = Searches and a dashboard for the access log and the integration log of a Slack workspace
version = ${version}

[ui]
is_visible = 1
label = Slack Auditor
`

/** What the Common Information Model asks for. */
const MODEL: Record<string, string[]> = {
  'slack.access': [
    'EVAL-action = "success"',
    'EVAL-app = "slack"',
    "EVAL-dest = 'team.name'",
    "EVAL-http_user_agent = 'access.user_agent'",
    "EVAL-src = 'access.ip'",
    "EVAL-user = coalesce('access.username', 'access.user_id')",
    "EVAL-user_id = 'access.user_id'",
    'EVAL-vendor_product = "Slack"',
  ],
  'slack.integration': [
    `EVAL-action = case('integration.change_type'="added", "created", 'integration.change_type'="removed", "deleted", true(), "modified")`,
    "EVAL-command = 'integration.change_type'",
    "EVAL-dest = 'team.name'",
    "EVAL-object = coalesce('app.name', 'app.id')",
    'EVAL-object_category = "application"',
    "EVAL-object_id = 'app.id'",
    'EVAL-status = "success"',
    "EVAL-user = coalesce('integration.user_name', 'integration.user_id')",
    'EVAL-vendor_product = "Slack"',
  ],
}

function propsOf(sourcetype: string): string {
  return [
    `[${sourcetype}]`,
    'KV_MODE = json',
    'SHOULD_LINEMERGE = false',
    'LINE_BREAKER = ([\\r\\n]+)',
    'TRUNCATE = 1000000',
    'category = Application',
    `description = slack-auditor: ${sourcetype}`,
    ...(MODEL[sourcetype] ?? []),
    '',
  ].join('\n')
}

const EVENTTYPES = `${BY}

# A member or an app used Slack. A row is not a sign-in, but the only trace of one in these logs.
[slack_access]
search = sourcetype=slack.access

[slack_integration]
search = sourcetype=slack.integration
`

const TAGS = `${BY}

[eventtype=slack_access]
authentication = enabled

[eventtype=slack_integration]
change = enabled
`

const COLLECTIONS = `${BY}

[slack_auditor_apps]
field.app_id = string
field.app_name = string
field.granted = number

[slack_auditor_alarms]
field.rule = string
field.time = number
field.user_id = string
field.app_id = string
`

const TRANSFORMS = `${BY}

# Which apps were added, and when last. A collection survives an update of the app, and outlives the events.
[slack_auditor_apps]
external_type = kvstore
collection = slack_auditor_apps
fields_list = app_id, app_name, granted

# What was found by the searches that others combine.
[slack_auditor_alarms]
external_type = kvstore
collection = slack_auditor_alarms
fields_list = _key, rule, time, user_id, app_id
`

const NAVIGATION = `<nav search_view="search">
  <view name="slack_auditor" default="true" />
  <view name="search" />
  <view name="reports" />
  <view name="alerts" />
</nav>
`

const META = `# Written by \`npm run build:detections\`. Everything can be used in other apps too: the searches of Splunk's own Search app
# need the fields and the lists.

[]
access = read : [ * ], write : [ admin, sc_admin ]
export = system
`
