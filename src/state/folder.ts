import { readdir } from 'node:fs/promises'

/**
 * Whose files a state folder holds, where none is of this team (and --team-id): a wrong token would silently start from
 * nothing. Undefined where there is one, no file at all, or no such folder.
 */
export async function foreignOwners(
  folder: string,
  teamId: string,
  workspace: string | undefined,
): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const owners = new Set(names.flatMap((name) => /^(.+)-(?:access|integration)\.json$/.exec(name)?.[1] ?? []))
  const own = workspace === undefined ? teamId : `${teamId}-${workspace}`
  return owners.size > 0 && !owners.has(own) ? [...owners].sort().join(', ') : undefined
}
