import type { Disk } from '../../src/state/store.ts'

/**
 * A disk that can lose power. What was not synced is gone after a crash: of a file its content, of a folder the
 * renames in it. Each call first waits for `step`, which never comes back where the process is killed and throws where
 * the disk is full.
 */
export class FakeDisk implements Disk {
  /** What survives a crash, and what a reader sees now. */
  #durable = new Map<string, string>()
  #visible = new Map<string, string>()
  readonly #synced = new Set<string>()
  readonly #step: () => Promise<void>

  constructor(step: () => Promise<void>) {
    this.#step = step
  }

  crash(): void {
    this.#visible = new Map(this.#durable)
  }

  /** The files a reader sees now. */
  files(): string[] {
    return [...this.#visible.keys()]
  }

  async readFile(path: string): Promise<string> {
    const text = this.#visible.get(path)
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }

  async open(path: string, flags: 'wx' | 'r') {
    await this.#step()
    if (flags === 'wx') {
      if (this.#visible.has(path)) throw Object.assign(new Error('it exists'), { code: 'EEXIST' })
      this.#visible.set(path, '')
      this.#synced.delete(path)
      // A file that is cut open in place is cut on the disk too.
      if (this.#durable.has(path)) this.#durable.set(path, '')
    }
    return {
      writeFile: async (text: string) => {
        await this.#step()
        this.#visible.set(path, text)
      },
      sync: async () => {
        await this.#step()
        if (flags === 'wx') this.#synced.add(path)
        else this.#durable = new Map(this.#visible)
      },
      close: () => this.#step(),
    }
  }

  async exists(path: string): Promise<boolean> {
    return this.#visible.has(path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step()
    const text = this.#visible.get(from) ?? ''
    this.#visible.delete(from)
    this.#visible.set(to, text)
    // The rename itself may reach the disk before the content does: then the file is there and empty.
    if (!this.#synced.has(from)) this.#durable.set(to, '')
  }

  async remove(path: string): Promise<void> {
    this.#visible.delete(path)
  }
}
