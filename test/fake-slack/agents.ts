import type { Random } from './random.ts'

/** What a user agent looks like in a version of its program: version 0 is the oldest that is played. */
export type Agent = (version: number) => string

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const MAC = 'Macintosh; Intel Mac OS X 10_15_7'
const WINDOWS = 'Windows NT 10.0; Win64; x64'
const LINUX = 'X11; Linux x86_64'

const chrome =
  (platform: string, rest = ''): Agent =>
  (version) =>
    `Mozilla/5.0 (${platform}) ${WEBKIT} Chrome/${137 + version}.0.0.0 Safari/537.36${rest}`

const firefox =
  (platform: string): Agent =>
  (version) =>
    `Mozilla/5.0 (${platform}; rv:${138 + version}.0) Gecko/20100101 Firefox/${138 + version}.0`

const slackDesktop =
  (platform: string): Agent =>
  (version) =>
    `Mozilla/5.0 (${platform}) ${WEBKIT} Slack/4.${39 + version}.97 Chrome/${137 + version}.0.6723.137 Electron/${32 + version}.2.1 Safari/537.36 Sonic Slack_SSB/4.${39 + version}.97`

const month = (version: number): string => `24.${String(7 + (version % 6)).padStart(2, '0')}`

const slackIos =
  (device: string, system: string): Agent =>
  (version) =>
    `com.tinyspeck.chatlyio/${month(version)}.10 (${device}; iOS ${system}; Scale/3.00)`

const slackAndroid =
  (device: string, system: number, name = 'com.Slack'): Agent =>
  (version) =>
    `${name}/${month(version)}.20.0 (${device}; Android ${system})`

const safari: Agent = (version) =>
  `Mozilla/5.0 (${MAC}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.${version} Safari/605.1.15`

/** A kind of computer: Slack's own program on it, and the browsers. */
export interface Computer {
  desktop: Agent
  browsers: readonly Agent[]
}

export const COMPUTERS: readonly Computer[] = [
  { desktop: slackDesktop(MAC), browsers: [chrome(MAC), safari, firefox('Macintosh; Intel Mac OS X 10.15')] },
  {
    desktop: slackDesktop(WINDOWS),
    browsers: [chrome(WINDOWS), chrome(WINDOWS, ' Edg/142.0.0.0'), firefox(WINDOWS)],
  },
  { desktop: slackDesktop(LINUX), browsers: [firefox(LINUX), chrome(LINUX)] },
]

export const PHONES: readonly Agent[] = [
  slackIos('iPhone', '18.1'),
  slackIos('iPhone', '17.6.1'),
  slackAndroid('google Pixel 8', 15),
  slackAndroid('samsung SM-S911B', 14),
  slackAndroid('samsung SM-A546B', 14, 'slack'),
]

export const TABLETS: readonly Agent[] = [slackIos('iPad', '17.6.1')]

/** The libraries with which apps and scripts call Slack. */
export const LIBRARIES: readonly string[] = [
  'Python/3.11.4 slackclient/3.33.3 Linux/5.15.0',
  '@slack:web-api/7.5.0 node/20.17.0 linux/5.15.0',
  '@slack:bolt/3.21.0 @slack:web-api/6.12.0 node/18.20.4 linux/6.1.0',
  'slack-api-client/1.42.0 (Java; Linux)',
  'Go-http-client/2.0',
  'okhttp/4.12.0',
  'Faraday v2.9.0',
]

/** What people try out by hand, without an app of their own. */
export const SCRIPTS: readonly string[] = ['curl/8.7.1', 'python-requests/2.32.3', 'PostmanRuntime/7.42.0']

/** Slack puts the app that calls in front of the user agent. */
export function calledByApp(appId: string, library: string): string {
  return `ApiApp/${appId} ${library}`
}

// Of what Slack's own page was built, so the same for all who loaded that release.
const RELEASES = Array.from({ length: 8 }, (_, release) =>
  Array.from({ length: 5 }, (_, part) =>
    (Math.imul(release * 5 + part + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0'),
  ).join(''),
)

/** Slack puts the release of its page in front of the user agent of browsers and of the desktop client. */
export function taggedByPage(agent: string, release: number): string {
  return `SlackWeb/${RELEASES[release % RELEASES.length]} ${agent}`
}

/** A user agent of somebody, in about the shares of real rows: mostly desktop and phones, sometimes an app. */
export function anyAgent(random: Random, appIds: readonly string[]): string {
  return inOnePiece(putTogether(random, appIds))
}

/** A string that was put together is hashed piece by piece each time it is used, and there are many rows. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString()
}

function putTogether(random: Random, appIds: readonly string[]): string {
  const share = random.next()
  const version = random.int(5)
  if (share < 0.12) return calledByApp(random.pick(appIds), random.pick(LIBRARIES))
  if (share < 0.15) return random.pick(SCRIPTS)
  if (share < 0.37) return random.pick(PHONES)(version)
  if (share < 0.4) return random.pick(TABLETS)(version)
  const { desktop, browsers } = random.pick(COMPUTERS)
  const agent = (share < 0.75 ? desktop : random.pick(browsers))(version)
  return random.chance(0.5) ? taggedByPage(agent, random.int(RELEASES.length)) : agent
}
