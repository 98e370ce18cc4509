// npm run test:elasticsearch: the events of the pipeline in a real store, with the templates of logstash/elasticsearch/.

import { ELASTICSEARCH_URL } from './server.ts'

/** Each runs its tests when it is imported. */
const FILES = ['./index-template.ts']

if (ELASTICSEARCH_URL === undefined || ELASTICSEARCH_URL === '') {
  console.log(`SKIPPED: there is no Elasticsearch here, so the store's side was not tested.
  Set ELASTICSEARCH_URL, with user and password in it if it wants some. What is stored for the test is removed again:
    ELASTICSEARCH_URL=http://localhost:9200 npm run test:elasticsearch`)
} else {
  for (const file of FILES) await import(file)
}
