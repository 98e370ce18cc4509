/**
 * The plugins a configuration here may use, and of each the options that Logstash 7.17, 8 and 9 all know, after the
 * Logstash Reference. `logstash -t` has the last word: `npm run test:logstash` runs it on every combination.
 * Left out on purpose are, among others: `ssl*`, `cacert` and `api_key` (elasticsearch and http: no spelling works from
 * 7.17 to 9), `silence_errors_in_log` (newer than 7.17).
 */
export const PLUGINS: Record<string, readonly string[]> = {
  ...plugins('input', ['add_field', 'codec', 'enable_metric', 'id', 'tags', 'type'], {
    exec: ['command', 'ecs_compatibility', 'interval', 'schedule'],
  }),
  ...plugins('filter', ['add_field', 'add_tag', 'enable_metric', 'id', 'remove_field', 'remove_tag'], {
    date: ['locale', 'match', 'tag_on_failure', 'target', 'timezone'],
    mutate: ['convert', 'copy', 'gsub', 'join', 'lowercase', 'rename', 'replace', 'split', 'strip', 'update'],
    ruby: ['code', 'init', 'path', 'script_params'],
    useragent: ['ecs_compatibility', 'lru_cache_size', 'regexes', 'source', 'target'],
    uuid: ['overwrite', 'target'],
  }),
  ...plugins('output', ['codec', 'enable_metric', 'id'], {
    elasticsearch: [
      'action',
      'cloud_auth',
      'cloud_id',
      'data_stream',
      'data_stream_auto_routing',
      'data_stream_dataset',
      'data_stream_namespace',
      'data_stream_sync_fields',
      'data_stream_type',
      'document_id',
      'ecs_compatibility',
      'failure_type_logging_whitelist',
      'hosts',
      'password',
      'pipeline',
      'proxy',
      'user',
    ],
    file: ['create_if_deleted', 'dir_mode', 'file_mode', 'flush_interval', 'gzip', 'path', 'write_behavior'],
    http: [
      'connect_timeout',
      'content_type',
      'format',
      'headers',
      'http_method',
      'message',
      'pool_max',
      'proxy',
      'request_timeout',
      'retry_failed',
      'retryable_codes',
      'socket_timeout',
      'url',
    ],
    stdout: [],
  }),
  ...plugins('codec', ['enable_metric', 'id'], {
    json_lines: ['charset', 'delimiter', 'ecs_compatibility', 'target'],
    line: ['charset', 'delimiter', 'ecs_compatibility', 'format'],
    rubydebug: ['metadata'],
  }),
}

function plugins(
  type: string,
  common: string[],
  own: Record<string, string[]>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(own).map(([name, options]) => [`${type} ${name}`, [...common, ...options]]),
  )
}
