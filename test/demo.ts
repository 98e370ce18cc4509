/**
 * Shows what slack-auditor does: runs the built file three times against a made-up workspace on this machine, without a
 * token and without a network. Ends with 0 only if all that it shows is true.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from './fake-slack/server.ts'
import { Slack } from './fake-slack/slack.ts'
import { Workspace } from './fake-slack/workspace.ts'
import { type Finished, type Line, run } from './program.ts'

const COLUMNS = 79
/** Logstash runs the program every half hour; a little more has passed by then. */
const PAUSE_SECONDS = 33 * 60
const ARGUMENTS = ['--state-dir', 'state', '--report']
const COMMAND = `slack-auditor ${ARGUMENTS.join(' ')}`

const say = (text = ''): void => console.log(text)

/** A line of the program as indented JSON, long values cut short. */
function pretty(line: Line): string {
  return JSON.stringify(line, null, 2)
    .split('\n')
    .map((text) => {
      const fits = COLUMNS - 2
      const end = text.endsWith(',') ? '",' : '"'
      return `  ${text.length <= fits ? text : `${text.slice(0, fits - end.length - 1)}…${end}`}`
    })
    .join('\n')
}

const ofDataset = (lines: readonly Line[], dataset: string) =>
  lines.filter((line) => line.dataset === dataset)

function first(lines: readonly Line[], dataset: string): Line {
  const [line] = ofDataset(lines, dataset)
  assert(line, `no line of ${dataset}`)
  return line
}

const access = (line: Line) => line['access'] as Record<string, unknown>

const time = (seconds: unknown) =>
  new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')

/** What Slack holds of each log and what a run is to print of it. */
interface Expected {
  access: readonly object[]
  integration: readonly object[]
}

/** Counts the lines, and sees to it that they are the entries expected, as Slack sent them and each once. */
function showCounts(lines: readonly Line[], expected: Expected): void {
  const show = (printed: number, dataset: string, what: string) =>
    say(`  ${String(printed).padStart(5)}  ${dataset.padEnd(17)}  ${what}`)
  for (const log of ['access', 'integration'] as const) {
    const printed = ofDataset(lines, `slack.${log}`).map((line) => JSON.stringify(line[log]))
    // Slack holds byte-identical twins of integration entries; they are one line.
    const wanted = new Set(expected[log].map((entry) => JSON.stringify(entry)))
    assert.deepEqual(printed.toSorted(), [...wanted].sort())
    show(printed.length, `slack.${log}`, `${log === 'access' ? 'rows' : 'entries'} of the ${log} log`)
  }
  const reports = ofDataset(lines, 'slack.auditor').length
  assert.equal(reports, 2)
  show(reports, 'slack.auditor', 'reports, one for each log')
}

/** What the program says on stderr, where people read it. */
function showVoice({ stderr }: Finished): void {
  for (const line of stderr.trim().split('\n')) say(`  ${line}`)
}

/** The row before and after: the same row, in a new state. */
function showChange(before: Line, after: Line): void {
  const cells: [string, unknown, unknown][] = [
    ['row', before['row'], after['row']],
    ['id', before.id, after.id],
    ['date_last', time(access(before)['date_last']), time(access(after)['date_last'])],
    ['count', access(before)['count'], access(after)['count']],
  ]
  say(`  ${''.padEnd(9)}  ${'in the first run'.padEnd(32)}  now`)
  for (const [name, old, now] of cells) say(`  ${name.padEnd(9)}  ${String(old).padEnd(32)}  ${now}`)
  assert.equal(before['row'], after['row'])
  assert.notEqual(before.id, after.id)
}

async function demo(folder: string): Promise<void> {
  // The workspace's clock ends at the present, so that nothing lies in the future.
  const now = Math.floor(Date.now() / 1000)
  const workspace = new Workspace({ seed: 39, now: now - PAUSE_SECONDS, accessRows: 2500, days: 90 })
  const server = await serve(new Slack({ workspace }))
  const runProgram = async (): Promise<{ finished: Finished; lines: Line[] }> => {
    const finished = await run(ARGUMENTS, { SLACK_API_URL: server.url }, { cwd: folder })
    assert.equal(finished.code, 0, finished.stderr)
    return { finished, lines: finished.lines() }
  }
  try {
    say(`A made-up Slack workspace is served at ${server.url}`)
    say('SLACK_API_URL and SLACK_TOKEN are set. A first run reads all there is:')
    say(`\n$ ${COMMAND}\n`)
    const { finished: firstRun, lines: all } = await runProgram()
    say('Each line of stdout is one JSON object. Indented here, and cut to fit, a row of')
    say('the access log ("access" holds it as Slack sent it):\n')
    say(pretty(first(all, 'slack.access')))
    say('\nAn entry of the integration log:\n')
    say(pretty(first(all, 'slack.integration')))
    say('\nAnd, from --report, how the run of one log went:\n')
    say(pretty(first(all, 'slack.auditor')))
    say('\nIn all, each row of the workspace once (twins, which Slack has, are one line):\n')
    showCounts(all, { access: workspace.accessRows(), integration: workspace.integrationRows() })
    say('\nFor people, on stderr:\n')
    showVoice(firstRun)

    // A row that changes is another object in the workspace.
    const known = new Set<object>([...workspace.accessRows(), ...workspace.integrationRows()])
    workspace.advanceTo(now, { perHour: 60 })
    workspace.addIntegration({ date: now - 300, app_id: 'A0DEMO0001', app_type: 'Meeting Notes' })
    say(`\n\n${PAUSE_SECONDS / 60} minutes pass. People log in, known devices come back (so rows that were`)
    say('printed change), an app is added. The same command prints only that:')
    say(`\n$ ${COMMAND}\n`)
    const { lines: news } = await runProgram()
    showCounts(news, {
      access: workspace.accessRows().filter((row) => !known.has(row)),
      integration: workspace.integrationRows().filter((entry) => !known.has(entry)),
    })
    const earlier = new Map(all.map((line) => [line['row'], line]))
    const again = news.find((line) => line['row'] !== undefined && earlier.has(line['row']))
    const before = earlier.get(again?.['row'])
    assert(again && before, 'no row changed')
    say('\nOne of the rows that changed keeps the name of its row and has a new id:\n')
    showChange(before, again)
    say('\nA new entry of the integration log:\n')
    say(pretty(first(news, 'slack.integration')))

    say('\n\nAt once again: nothing is new, and only the reports are printed.')
    say(`\n$ ${COMMAND}\n`)
    const { finished: lastRun, lines: none } = await runProgram()
    showCounts(none, { access: [], integration: [] })
    say()
    showVoice(lastRun)

    const lines = [...all, ...news, ...none]
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length, 'an id came twice')
    say(`\n${lines.length} lines in three runs, no id twice.`)
  } finally {
    await server.close()
  }
}

const folder = await mkdtemp(join(tmpdir(), 'slack-auditor-demo-'))
try {
  await demo(folder)
} finally {
  await rm(folder, { recursive: true })
}
