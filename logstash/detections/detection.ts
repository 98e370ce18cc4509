/**
 * What a detection is. Every detection is written once, in access.ts, integration.ts or collector.ts.
 * `npm run build:detections` writes the rules for Kibana, the saved searches for Splunk and the tables of
 * ../detections.md from them. The code that does so is in ../build.
 */
export interface Detection {
  /** Names the detection in the files, in the tests and in Splunk. */
  slug: string
  /** Names the rule in Kibana. It never changes, so that a later import replaces the rule. */
  id: string
  /** Grows with each change of what is found. */
  version: number
  name: string
  severity: 'low' | 'medium' | 'high' | 'critical'
  /** Too frequent to alert anyone. Its alarms are kept, hidden, for the detections that combine them. Always low. */
  buildingBlock?: true
  /** One sentence each, for the table and for the rule. */
  finds: string
  why: string
  /** What it will find although nothing is wrong. */
  falsePositives: string[]
  tune: string
  /** What to look at when it fires. */
  triage: string[]
  /** What to do if it was an attack. */
  respond: string[]
  /** What must be in place for it to work, beyond what all detections need. */
  setup?: string
  /** Ids of MITRE ATT&CK techniques; their names and tactics are in attack.ts. */
  attack: string[]
  /** Which of Elastic's use cases it belongs to. */
  useCase: 'Threat Detection' | 'Identity and Access Audit' | 'Configuration Audit' | 'Log Auditing'
  /**
   * Which events it looks at, in Lucene syntax. `{name}` is one of the lists of lists.ts.
   * The Splunk search is made from the same words. Empty if it looks at the alarms of others.
   */
  query: string
  alert: Alert
  /** Alarms that agree in these fields within this time are shown as one. For `on: 'event'` only. */
  suppress?: { by: string[]; within: Span }
}

/** A time span: `30m`, `4h`, `60d`. */
export type Span = `${number}${'m' | 'h' | 'd'}`

/** All times are those at which the store took an event, so that nothing is missed that came late. */
export type Alert =
  /** Each event alerts. */
  | { on: 'event' }
  /** The values of these fields together were not there before, for as long as `within`. */
  | { on: 'new'; fields: string[]; within: Span; lookBack?: Span }
  /** Per value of the fields `by`: so many events, or so many distinct values of a field, within a time. */
  | { on: 'count'; by: string[]; atLeast: number; distinct?: string; within: Span }
  /** Per value of `by`: at least so many of the detections `of` (slugs) alarmed within a time. */
  | { on: 'together'; of: string[]; by: string[]; atLeast: number; within: Span }
  /** Nothing was there for so long, per workspace and log. No detection rule of Kibana can see that: it is an alert of another kind there. */
  | { on: 'absence'; within: Span }
