// A parser for Logstash's configuration language: what 7.17, 8 and 9 all read, after the grammar in Logstash's sources
// (logstash-core/lib/logstash/compiler/lscl/lscl_grammar.treetop). Where Logstash silently accepts something that
// nobody can have meant, this parser refuses it.

export type Value =
  | { kind: 'string' | 'bareword' | 'number'; text: string }
  | { kind: 'array'; values: Value[] }
  | { kind: 'hash'; entries: [key: string, value: Value][] }
  | { kind: 'plugin'; plugin: Plugin }

export interface Plugin {
  name: string
  options: [name: string, value: Value][]
}

/** `if … else if … else …`. Only an else has no condition. */
export interface Branch {
  cases: { condition?: Condition; body: Node[] }[]
}

export type Node = Plugin | Branch

/** `field` is a field reference such as `[a][b]`. */
export type Operand =
  | { kind: 'field' | 'string' | 'number' | 'regexp'; text: string }
  | { kind: 'array'; values: Operand[] }

export type Condition =
  | { kind: 'operand'; operand: Operand }
  | { kind: 'compare'; operator: string; left: Operand; right: Operand }
  | { kind: 'not'; of: Condition }
  | { kind: 'join'; operator: string; left: Condition; right: Condition }

export interface Section {
  type: 'input' | 'filter' | 'output'
  body: Node[]
}

/** Parses a whole configuration. Throws an Error that begins with the number of the line. */
export function parseConfig(text: string): Section[] {
  const parser = new Parser(text)
  const sections: Section[] = []
  parser.space()
  while (!parser.atEnd()) {
    sections.push(parser.section())
    const end = parser.at
    parser.space()
    if (parser.atEnd() && parser.text.slice(end).includes('#'))
      parser.fail('a comment after the last block: not every version reads it')
  }
  return sections
}

const COMPARE = /(?:==|!=|<=|>=|<|>)/y
const MATCH = /(?:=~|!~)/y

class Parser {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  section(): Section {
    const type = this.take(/input|filter|output/y) as Section['type'] | undefined
    if (!type) this.fail('expected input, filter or output')
    this.space()
    return { type, body: this.body() }
  }

  /** `{ plugins and branches }` */
  body(): Node[] {
    const nodes: Node[] = []
    this.expect('{')
    this.space()
    while (!this.has('}')) {
      if (this.take(/else(?![\w-])/y)) this.fail('else without an if')
      nodes.push(this.take(/if(?![\w-])/y) ? this.branch() : this.plugin(this.name()))
      this.space()
    }
    return nodes
  }

  branch(): Branch {
    const cases: Branch['cases'] = []
    let more = true
    while (more) {
      this.space()
      const condition = this.condition()
      this.space()
      cases.push({ condition, body: this.body() })
      const end = this.at
      this.space()
      more = false
      if (!this.take(/else(?![\w-])/y)) {
        this.at = end
      } else {
        this.space()
        if (this.take(/if(?![\w-])/y)) more = true
        else cases.push({ body: this.body() })
      }
    }
    return { cases }
  }

  plugin(name: string): Plugin {
    this.space()
    this.expect('{')
    this.space()
    const options: Plugin['options'] = []
    while (!this.has('}')) {
      const option = this.name()
      if (options.some(([other]) => other === option)) this.fail(`the option ${option} is given twice`)
      options.push([option, this.arrowAndValue()])
      const spaced = this.take(/[ \t\r\n]+/y) !== undefined
      this.space()
      if (!spaced && this.text[this.at] !== '}') this.fail('expected white space before the next option')
    }
    return { name, options }
  }

  name(): string {
    const name = this.take(/[\w-]+/y) ?? this.string()
    return name ?? this.fail('expected a name')
  }

  arrowAndValue(): Value {
    this.space()
    this.expect('=>')
    this.space()
    return this.value()
  }

  value(): Value {
    const string = this.string()
    if (string !== undefined) return { kind: 'string', text: string }
    if (this.has('[')) return { kind: 'array', values: this.list(() => this.value()) }
    if (this.has('{')) return this.hash()
    const number = this.number()
    if (number !== undefined) return { kind: 'number', text: number }
    // A single letter is not a bareword in this language.
    const word = this.take(/[A-Za-z_]\w+/y) ?? this.fail('expected a value')
    const end = this.at
    this.space()
    const plugin = this.text[this.at] === '{'
    if (!plugin) this.at = end
    return plugin ? { kind: 'plugin', plugin: this.plugin(word) } : { kind: 'bareword', text: word }
  }

  hash(): Value {
    const entries: [string, Value][] = []
    this.space()
    while (!this.has('}')) {
      const key = this.string() ?? this.number() ?? this.take(/[A-Za-z_]\w+/y)
      if (key === undefined) this.fail('expected a key')
      if (entries.some(([other]) => other === key)) this.fail(`the key ${key} is given twice`)
      entries.push([key, this.arrowAndValue()])
      // Only white space may stand between two entries, no comment.
      const spaced = this.take(/[ \t\r\n]+/y) !== undefined
      if (this.text[this.at] === '#') {
        this.space()
        if (this.text[this.at] !== '}') this.fail('a comment between the entries of a hash')
      } else if (!spaced && this.text[this.at] !== '}') {
        this.fail('expected white space before the next entry')
      }
    }
    return { kind: 'hash', entries }
  }

  /** What follows a `[`. */
  list<Item>(item: () => Item): Item[] {
    const items: Item[] = []
    this.space()
    if (this.has(']')) return items
    do {
      this.space()
      items.push(item())
      this.space()
    } while (this.has(','))
    this.expect(']')
    return items
  }

  /** `and` and `or` do not bind differently here; mixed, they need brackets to be understood. */
  condition(): Condition {
    let left = this.expression()
    let joined: string | undefined
    for (;;) {
      const end = this.at
      this.space()
      const operator = this.take(/(?:and|or|xor|nand)(?!\w)/y)
      if (!operator) {
        this.at = end
        return left
      }
      joined ??= operator
      if (operator !== joined) this.fail(`${joined} and ${operator} without brackets`)
      this.space()
      left = { kind: 'join', operator, left, right: this.expression() }
    }
  }

  expression(): Condition {
    if (this.has('!')) {
      this.space()
      if (this.has('(')) return { kind: 'not', of: this.inBrackets() }
      const field = this.field() ?? this.fail('expected a field or ( after !')
      return { kind: 'not', of: { kind: 'operand', operand: field } }
    }
    if (this.has('(')) return this.inBrackets()
    const left = this.operand()
    const end = this.at
    this.space()
    if (this.take(/not /y)) {
      this.space()
      if (!this.take(/in(?!\w)/y)) this.fail('expected in after not')
      this.space()
      return { kind: 'not', of: { kind: 'compare', operator: 'in', left, right: this.operand() } }
    }
    const operator = this.take(/in(?!\w)/y) ?? this.take(MATCH) ?? this.take(COMPARE)
    if (!operator) {
      this.at = end
      return { kind: 'operand', operand: left }
    }
    this.space()
    const right = this.operand()
    if (/~/.test(operator) && right.kind !== 'regexp' && right.kind !== 'string')
      this.fail(`expected a regular expression after ${operator}`)
    return { kind: 'compare', operator, left, right }
  }

  inBrackets(): Condition {
    this.space()
    const condition = this.condition()
    this.space()
    this.expect(')')
    return condition
  }

  operand(): Operand {
    const string = this.string()
    if (string !== undefined) return { kind: 'string', text: string }
    const number = this.number()
    if (number !== undefined) return { kind: 'number', text: number }
    const regexp = this.take(/\/(?:\\\/|[^/])*\//y)
    if (regexp !== undefined) return { kind: 'regexp', text: regexp.slice(1, -1) }
    const field = this.field()
    if (field) return field
    if (!this.has('[')) this.fail('expected a field, a string, a number or a list')
    const values = this.list(() => this.operand())
    if (values.length < 2) this.fail('a list of one is a field for Logstash: compare with ==')
    return { kind: 'array', values }
  }

  field(): Operand | undefined {
    const text = this.take(/(?:\[[^[\],"'\s]+\])+/y)
    return text === undefined ? undefined : { kind: 'field', text }
  }

  string(): string | undefined {
    const quoted = this.take(/"[^"]*"|'[^']*'/y)
    // Without `config.support_escapes` a backslash before a quote ends up in the string, and differently so from version to version.
    if (quoted?.includes('\\')) this.fail('a backslash in a string')
    return quoted?.slice(1, -1)
  }

  number(): string | undefined {
    return this.take(/-?\d+(?:\.\d*)?/y)
  }

  /** White space and comments. A comment ends with a line feed, also the last one. */
  space(): void {
    let comment: string | undefined
    do {
      this.take(/[ \t\r\n]+/y)
      comment = this.take(/#[^\r\n]*\r?\n/y)
      // Newer versions look for variables in comments too, and stop at one that is not set.
      if (comment?.includes('${')) this.fail('a variable in a comment')
    } while (comment)
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const [found] = pattern.exec(this.text) ?? []
    this.at += found?.length ?? 0
    return found
  }

  /** Takes the text if it comes next. */
  has(text: string): boolean {
    const here = this.text.startsWith(text, this.at)
    if (here) this.at += text.length
    return here
  }

  expect(text: string): void {
    if (!this.has(text)) this.fail(`expected ${text}`)
  }

  atEnd(): boolean {
    return this.at === this.text.length
  }

  fail(what: string): never {
    const line = this.text.slice(0, this.at).split('\n').length
    throw new Error(`line ${line}: ${what}, before ${JSON.stringify(this.text.slice(this.at, this.at + 20))}`)
  }
}

/** All plugins, those in branches and codecs too, each with its section. */
export function pluginsOf(sections: Section[]): { type: string; plugin: Plugin }[] {
  const codecs = (plugin: Plugin): { type: string; plugin: Plugin }[] =>
    plugin.options.flatMap(([option, value]) => {
      if (option !== 'codec') return []
      if (value.kind === 'plugin') return [{ type: 'codec', plugin: value.plugin }]
      return value.kind === 'array' || value.kind === 'hash'
        ? []
        : [{ type: 'codec', plugin: { name: value.text, options: [] } }]
    })
  const inNode = (type: string, node: Node): { type: string; plugin: Plugin }[] =>
    'cases' in node
      ? node.cases.flatMap(({ body }) => body.flatMap((inner) => inNode(type, inner)))
      : [{ type, plugin: node }, ...codecs(node)]
  return sections.flatMap(({ type, body }) => body.flatMap((node) => inNode(type, node)))
}

/** All strings and barewords of a value, keys too. */
export function stringsOf(value: Value): string[] {
  switch (value.kind) {
    case 'array':
      return value.values.flatMap(stringsOf)
    case 'hash':
      return value.entries.flatMap(([key, inner]) => [key, ...stringsOf(inner)])
    case 'plugin':
      return value.plugin.options.flatMap(([, inner]) => stringsOf(inner))
    default:
      return [value.text]
  }
}

/** All operands of all conditions. */
export function operandsOf(sections: Section[]): Operand[] {
  const inCondition = (condition: Condition): Operand[] => {
    switch (condition.kind) {
      case 'operand':
        return [condition.operand]
      case 'compare':
        return [condition.left, condition.right]
      case 'not':
        return inCondition(condition.of)
      case 'join':
        return [...inCondition(condition.left), ...inCondition(condition.right)]
    }
  }
  const inNode = (node: Node): Operand[] =>
    'cases' in node
      ? node.cases.flatMap(({ condition, body }) => [
          ...(condition ? inCondition(condition) : []),
          ...body.flatMap(inNode),
        ])
      : []
  return sections.flatMap(({ body }) => body.flatMap(inNode))
}

const VARIABLE = /\$\{([A-Za-z_.][\w.]*)(?::([^}]*))?\}/g

/** The variables of a text, as Logstash reads them. */
export function variablesOf(text: string): { name: string; fallback: string | undefined }[] {
  return [...text.matchAll(VARIABLE)].map(([, name = '', fallback]) => ({ name, fallback }))
}

/** The text with its variables replaced the way Logstash does: from the environment, else by the default, else an error. */
export function expandVariables(text: string, environment: Record<string, string | undefined>): string {
  return text.replace(VARIABLE, (reference, name: string, fallback: string | undefined) => {
    const value = environment[name] ?? fallback
    if (value === undefined) throw new Error(`${reference} is not set and has no default`)
    return value
  })
}
