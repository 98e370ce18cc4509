/**
 * What a detection is. Every detection is written once, in access.ts, integration.ts or collector.ts.
 * `npm run build:detections` writes the rules for Kibana, the saved searches for Splunk and the tables of
 * ../detections.md from them. The code that does so is in test/detections, because the tests use it too.
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
  /** One sentence each, for the table and for the rule. */
  finds: string
  why: string
  /** What it will find although nothing is wrong. */
  wrongly: string[]
  tune: string
  /** What to look at when it fires. */
  triage: string[]
  /** Ids of MITRE ATT&CK techniques; their names and tactics are in attack.ts. */
  attack: string[]
  /**
   * Which events it looks at, in Lucene syntax. `{name}` is one of the lists of lists.ts.
   * The Splunk search is made from the same words.
   */
  query: string
  alert: Alert
  /** What Splunk can do better than the rule types of Kibana that are used here. */
  splunk?: SplunkSearch
}

/** A time span: `30m`, `4h`, `60d`. */
export type Span = `${number}${'m' | 'h' | 'd'}`

export type Alert =
  /** Each event alerts. */
  | { on: 'event' }
  /** The values of these fields together were not there before, for as long as `within`. */
  | { on: 'new'; fields: string[]; within: Span; lookBack?: Span }
  /**
   * Per value of the fields `by`: so many events, or so many distinct values of a field, within a time.
   * `happened` goes by the time of the event, `collected` by the time it was read. The first is more exact. The
   * second misses nothing after the collector was down.
   */
  | {
      on: 'count'
      by: string[]
      atLeast: number
      distinct?: string
      within: Span
      time: 'happened' | 'collected'
    }
  /** Nothing was there for so long. No detection rule of Kibana can see that: it is an alert of another kind there. */
  | { on: 'absence'; within: Span }

export interface SplunkSearch {
  /** Why it is not made from the query. */
  because: string
  /** How far back it looks. */
  earliest: Span
  /** All of the search. */
  search: string
  /** Fields of a result that name what was found; it is not reported again for a day. */
  names: string[]
}

/** How late an event may be read: Slack is up to an hour late, runs are half an hour apart, and a run takes its time. */
export const LATEST: Span = '2h'
