import type { Detection } from './detection.ts'

const REPORT = 'event.dataset:slack.auditor'

export const COLLECTOR_DETECTIONS: Detection[] = [
  {
    slug: 'collector-silent',
    id: 'f16e8862-6d38-4f96-9d9e-105b2f249d95',
    version: 1,
    name: 'slack-auditor: no successful run for two hours',
    severity: 'high',
    finds:
      'A log was not read with success for two hours, for whatever reason: Logstash down, Node missing, a dead token, the app removed.',
    why: 'What is not collected is not detected.',
    wrongly: ['maintenance', 'an interval above 40 minutes'],
    tune: 'Three to four intervals.',
    triage: [
      'Is there a report of a failure? error.message says what to do.',
      'No report at all: journalctl -u logstash.',
      'Was the admin who installed the app deactivated?',
    ],
    attack: ['T1562.008'],
    query: `${REPORT} AND event.outcome:success`,
    alert: { on: 'absence', within: '2h' },
    splunk: {
      because:
        'absence can only be asked for by a search of its own; per workspace, as long as it had a success within the last week',
      earliest: '7d',
      search: `sourcetype=slack.auditor run.outcome=success
| stats max(_time) AS last_success BY team.id run.log
| where last_success < relative_time(now(), "-2h")
| eval _time=last_success
| convert ctime(last_success)`,
      names: ['team.id', 'run.log'],
    },
  },
  {
    slug: 'collector-failing',
    id: 'b13c92a2-894c-45ff-bfeb-3a842c4510c4',
    version: 1,
    name: 'slack-auditor: runs fail',
    severity: 'medium',
    finds: 'Two runs of one log fail within two hours.',
    why: 'Rows are late, and lost once Slack drops them.',
    wrongly: ['outages at Slack'],
    tune: 'Raise the number.',
    triage: [
      'error.type, error.code and error.message say what is wrong and what to do.',
      'slack-auditor check, with the token of the service.',
    ],
    attack: [],
    query: `${REPORT} AND event.outcome:failure`,
    alert: {
      on: 'count',
      // Not by workspace: with a dead token a report cannot name it.
      by: ['event.action'],
      atLeast: 2,
      within: '2h',
      time: 'collected',
    },
  },
  {
    slug: 'collector-incomplete',
    id: '6f36e1d7-c6ea-4dbb-a6ba-ddf95862ccaf',
    version: 1,
    name: 'slack-auditor: gaps that do not close',
    severity: 'medium',
    finds:
      'Thirty runs of one log within a day end incomplete and with gaps: at the default interval, most of a day.',
    why: 'Something stays unread.',
    wrongly: ['the first read of a large workspace'],
    tune: 'Change the number with the interval.',
    triage: [
      'Does slack.run.gaps fall, or slack.run.rows_printed stay at the limit? Then wait, or raise --max-rows and --max-time.',
      'slack.run says why the run is not complete.',
    ],
    attack: [],
    query: `${REPORT} AND slack.run.complete:false AND slack.run.gaps:>0`,
    alert: {
      on: 'count',
      by: ['organization.id', 'event.action'],
      atLeast: 30,
      within: '1d',
      time: 'collected',
    },
  },
  {
    slug: 'collector-foreign-line',
    id: 'de96112a-bec7-4aaf-98d3-6b448336ab80',
    version: 1,
    name: 'slack-auditor: a line that is not a whole one',
    severity: 'low',
    finds: 'Logstash read a line that is not a whole line of slack-auditor.',
    why: 'One comes from a run that was killed; many come from a broken set-up.',
    wrongly: ['each unclean stop of Logstash'],
    tune: 'Nothing to tune.',
    triage: ['Read message.', 'Does it come again in every run? Then something else writes to stdout.'],
    attack: [],
    query: `${REPORT} AND event.kind:pipeline_error`,
    alert: { on: 'event' },
    splunk: {
      because: 'such a line has no id: Splunk is sent nothing but its text',
      earliest: '7d',
      search: `sourcetype=slack.auditor line=* _index_earliest=-30m@m _index_latest=@m
| dedup line
| table _time line`,
      names: ['line'],
    },
  },
]
