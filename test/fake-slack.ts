/**
 * npm run fake-slack: a made-up workspace behind Slack's API on this machine, to rehearse with. Members come and go while
 * it runs.
 */
import { parseArgs } from 'node:util'
import { serve } from './fake-slack/server.ts'
import { Slack } from './fake-slack/slack.ts'
import { Workspace } from './fake-slack/workspace.ts'
import { TOKEN } from './program.ts'

const HELP = `npm run fake-slack -- [options]

  --port <n>             default 8765; 0 takes a free one
  --seed <n>             another seed is another workspace (default 1)
  --rows <n>             access rows of its past (default 2000)
  --integrations <n>     integration entries of its past (default 60)
  --per-hour <n>         accesses per hour while it runs (default 600)
  --order <field>        date_first or date_last: what the access log is sorted by (default date_first)
  --rate-limit <n>       calls per minute and method; 0 sets no limit (default 0)
`

try {
  await main()
} catch (error) {
  console.error(`fake-slack: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8765' },
      seed: { type: 'string', default: '1' },
      rows: { type: 'string', default: '2000' },
      integrations: { type: 'string', default: '60' },
      'per-hour': { type: 'string', default: '600' },
      order: { type: 'string', default: 'date_first' },
      'rate-limit': { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const { order } = values
  if (order !== 'date_first' && order !== 'date_last') throw new Error('--order is date_first or date_last')
  const number = (name: Exclude<keyof typeof values, 'help' | 'order'>): number => {
    if (/^\d{1,8}$/.test(values[name])) return Number(values[name])
    throw new Error(`--${name} is a whole number, not ${values[name]}`)
  }

  const workspace = new Workspace({
    seed: number('seed'),
    now: now(),
    accessRows: number('rows'),
    integrationRows: number('integrations'),
  })
  const activity = { perHour: number('per-hour'), maxDelay: 60 }
  const perMinute = number('rate-limit')
  const server = await serve(new Slack({ workspace, order, filter: order }), {
    port: number('port'),
    rateLimit: perMinute > 0 ? { perMinute, burst: perMinute, retryAfter: 10 } : undefined,
    // Between two requests nobody looks.
    beforeAnswer: () => workspace.advanceTo(now(), activity),
  })
  console.log(`export SLACK_API_URL=${server.url}
export SLACK_TOKEN=${TOKEN}
# ${workspace.team.name} (${workspace.team.id}). Ctrl-C ends it.`)
  const end = (): void => {
    server.close().catch((error: unknown) => {
      console.error(error)
      process.exitCode = 1
    })
  }
  process.once('SIGINT', end).once('SIGTERM', end)
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
