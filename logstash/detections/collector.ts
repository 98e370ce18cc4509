import type { Detection } from './detection.ts'

const REPORT = 'event.dataset:slack.auditor'

export const COLLECTOR_DETECTIONS: Detection[] = [
  {
    slug: 'collector-silent',
    id: 'f16e8862-6d38-4f96-9d9e-105b2f249d95',
    version: 2,
    name: 'slack-auditor: no successful run for two hours',
    severity: 'high',
    finds:
      'A log of a workspace was not read with success for two hours, for whatever reason: Logstash down, Node missing, a dead token, the app removed.',
    why: 'What is not collected is not detected.',
    falsePositives: [
      'maintenance',
      'an interval above 40 minutes',
      'a workspace that was given up, for a week',
    ],
    tune: 'Three to four intervals.',
    triage: [
      'Is there a report of a failure? error.message says what to do.',
      'No report at all: journalctl -u logstash.',
      'Was the admin who installed the app deactivated?',
    ],
    respond: ['Repair it soon: the next run reads what was missed, as long as Slack keeps it.'],
    attack: ['T1562.008'],
    useCase: 'Log Auditing',
    query: `${REPORT} AND event.outcome:success`,
    alert: { on: 'absence', within: '2h' },
  },
  {
    slug: 'collector-failing',
    id: 'b13c92a2-894c-45ff-bfeb-3a842c4510c4',
    version: 2,
    name: 'slack-auditor: runs fail',
    severity: 'medium',
    finds: 'Two runs of one log fail within two hours.',
    why: 'Rows are late, and lost once Slack drops them.',
    falsePositives: ['outages at Slack'],
    tune: 'Raise the number.',
    triage: [
      'error.type, error.code and error.message say what is wrong and what to do.',
      'slack-auditor check, with the token of the service.',
    ],
    respond: ['Repair it soon: the next run reads what was missed, as long as Slack keeps it.'],
    attack: [],
    useCase: 'Log Auditing',
    query: `${REPORT} AND event.outcome:failure`,
    // Not by workspace: with a dead token a report cannot name it.
    alert: { on: 'count', by: ['event.action'], atLeast: 2, within: '2h' },
  },
  {
    slug: 'collector-incomplete',
    id: '6f36e1d7-c6ea-4dbb-a6ba-ddf95862ccaf',
    version: 2,
    name: 'slack-auditor: gaps that do not close',
    severity: 'medium',
    finds:
      'Twenty runs of one log within a day end incomplete and with gaps, and none of them printed 1,000 rows: it makes no progress. With an interval of an hour that is most of a day, with the usual half an hour ten hours.',
    why: 'Something stays unread.',
    falsePositives: ['limits (--max-rows, --max-time) that are too low for the workspace'],
    tune: 'With an interval above an hour, lower the number.',
    triage: [
      'Does slack.run.gaps fall? Then wait, or raise --max-rows and --max-time.',
      'slack.run says why the run is not complete.',
    ],
    respond: ['Raise the limits until slack.run.complete is true.'],
    attack: [],
    useCase: 'Log Auditing',
    // A backfill stops at its limits with gaps too, but prints much.
    query: `${REPORT} AND slack.run.complete:false AND slack.run.gaps:>0 AND NOT slack.run.rows_printed:>=1000`,
    alert: { on: 'count', by: ['organization.id', 'event.action'], atLeast: 20, within: '1d' },
  },
  {
    slug: 'collector-foreign-line',
    id: 'de96112a-bec7-4aaf-98d3-6b448336ab80',
    version: 2,
    name: 'slack-auditor: an incomplete or foreign line',
    severity: 'low',
    finds: 'Logstash read a line that is not a complete line of slack-auditor.',
    why: 'One comes from a run that was killed; many come from a broken set-up.',
    falsePositives: ['each unclean stop of Logstash'],
    tune: 'Nothing to tune.',
    triage: ['Read message.', 'Does it recur in every run? Then something else writes to stdout.'],
    respond: ['Find what else writes to the stdout of the command, and stop it.'],
    attack: [],
    useCase: 'Log Auditing',
    query: `${REPORT} AND event.kind:pipeline_error`,
    alert: { on: 'event' },
    suppress: { by: ['event.dataset'], within: '1d' },
  },
]
