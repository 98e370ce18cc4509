// What Logstash's useragent filter reads out of a user agent, for the families that the samples and the fake Slack have.
// The real filter has all the patterns of uap-core. Where a test needs another family, add it here and compare with
// `npm run test:logstash`.

export interface UserAgent {
  name: string
  version?: string | undefined
  os: string
  osVersion?: string | undefined
  device: string
}

type Pattern = [pattern: RegExp, name: string]

/** The first that matches counts. A group is the version. */
const NAMES: Pattern[] = [
  [/Slack_SSB\/(\d+\.\d+\.\d+)/, 'Slack Desktop Client'],
  [/WindowsPowerShell\/(\d+\.\d+\.\d+)/, 'WindowsPowerShell'],
  [/HeadlessChrome\/(\d+\.\d+\.\d+)/, 'HeadlessChrome'],
  [/Edg\/(\d+\.\d+\.\d+\.\d+)/, 'Edge'],
  [/Firefox\/(\d+\.\d+(?:\.\d+)?)/, 'Firefox'],
  [/Android.*Chrome\/(\d+\.\d+\.\d+\.\d+) Mobile/, 'Chrome Mobile'],
  [/Chrome\/(\d+\.\d+\.\d+\.\d+)/, 'Chrome'],
  [/iPhone.*Version\/(\d+\.\d+(?:\.\d+)?).*Mobile.*Safari/, 'Mobile Safari'],
  [/Version\/(\d+\.\d+(?:\.\d+)?).*Safari/, 'Safari'],
  [/\((?:iPhone|iPad)/, 'Mobile Safari UI/WKWebView'],
  [/Android (\d+(?:\.\d+){0,2})/, 'Android'],
  [/^python-requests\/(\d+\.\d+)/, 'Python Requests'],
  [/(?:^|; )Go-http-client\/(\d+\.\d+)/, 'Go-http-client'],
  [/^curl\/(\d+\.\d+\.\d+)/, 'curl'],
  [/^Python\/\d+\.\d+ aiohttp\/(\d+\.\d+\.\d+)/, 'Python aiohttp'],
  [/^axios\/(\d+\.\d+\.\d+)/, 'axios'],
  [/^SlackNotificationService\/(\d+\.\d+\.\d+) CFNetwork/, 'SlackNotificationService'],
  [/^okhttp\/(\d+\.\d+\.\d+)/, 'okhttp'],
]

const SYSTEMS: Pattern[] = [
  [/CFNetwork\/.* Darwin/, 'iOS'],
  [/(?:iPhone OS|iOS) (\d+(?:[._]\d+)*)/, 'iOS'],
  [/Android (\d+(?:\.\d+){0,2})/, 'Android'],
  [/Mac OS X (\d+(?:[._]\d+)*)/, 'Mac OS X'],
  [/Windows NT (10)\.0/, 'Windows'],
  [/Linux\/(\d+\.\d+(?:\.\d+)?)/, 'Linux'],
  [/[Ll]inux/, 'Linux'],
]

const DEVICES: Pattern[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/CFNetwork/, 'iOS-Device'],
  [/Macintosh.*Mac OS X/, 'Mac'],
  [/samsung (SM-\w+)/, 'Samsung '],
  [/Android/, 'Generic Smartphone'],
]

export function readUserAgent(agent: string): UserAgent {
  const [name, version] = firstOf(NAMES, agent)
  const [os, osVersion] = firstOf(SYSTEMS, agent)
  const [device, model = ''] = firstOf(DEVICES, agent)
  return { name, version, os, osVersion: osVersion?.replaceAll('_', '.'), device: device + model }
}

function firstOf(patterns: Pattern[], agent: string): [name: string, group: string | undefined] {
  for (const [pattern, name] of patterns) {
    const found = pattern.exec(agent)
    if (found) return [name, found[1]]
  }
  return ['Other', undefined]
}
