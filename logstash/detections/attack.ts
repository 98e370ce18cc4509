/** The part of MITRE ATT&CK for enterprise (version 18) that the detections name. */
export const TACTICS = {
  TA0001: 'Initial Access',
  TA0003: 'Persistence',
  TA0005: 'Defense Evasion',
  TA0006: 'Credential Access',
  TA0009: 'Collection',
  TA0010: 'Exfiltration',
  TA0011: 'Command and Control',
  TA0040: 'Impact',
} as const

export interface Technique {
  name: string
  /** One of the tactics that ATT&CK lists the technique under: the one that is meant here. */
  tactic: keyof typeof TACTICS
}

export const TECHNIQUES: Record<string, Technique> = {
  T1078: { name: 'Valid Accounts', tactic: 'TA0001' },
  'T1078.004': { name: 'Cloud Accounts', tactic: 'TA0001' },
  T1090: { name: 'Proxy', tactic: 'TA0011' },
  T1098: { name: 'Account Manipulation', tactic: 'TA0003' },
  'T1098.001': { name: 'Additional Cloud Credentials', tactic: 'TA0003' },
  T1213: { name: 'Data from Information Repositories', tactic: 'TA0009' },
  'T1213.005': { name: 'Messaging Applications', tactic: 'TA0009' },
  T1489: { name: 'Service Stop', tactic: 'TA0040' },
  T1528: { name: 'Steal Application Access Token', tactic: 'TA0006' },
  T1539: { name: 'Steal Web Session Cookie', tactic: 'TA0006' },
  T1550: { name: 'Use Alternate Authentication Material', tactic: 'TA0005' },
  'T1550.001': { name: 'Application Access Token', tactic: 'TA0005' },
  'T1550.004': { name: 'Web Session Cookie', tactic: 'TA0005' },
  T1562: { name: 'Impair Defenses', tactic: 'TA0005' },
  'T1562.008': { name: 'Disable or Modify Cloud Logs', tactic: 'TA0005' },
  T1567: { name: 'Exfiltration Over Web Service', tactic: 'TA0010' },
  'T1567.004': { name: 'Exfiltration Over Webhook', tactic: 'TA0010' },
  T1671: { name: 'Cloud Application Integration', tactic: 'TA0003' },
}
