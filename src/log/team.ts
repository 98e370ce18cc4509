/** The workspace the lines belong to. Null only in the report of a run that Slack did not let in. */
export interface Team {
  readonly id: string | null
  readonly name: string | null
}
