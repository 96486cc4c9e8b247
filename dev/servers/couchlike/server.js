'use strict';
// A server that behaves like CouchDB 3, for development.  node server.js PORT FOLDER|:memory:
//
// COUCHLIKE_ADMIN=user:password   ask for these credentials on every request
// COUCHLIKE_SEQ=opaque|int        sequences as CouchDB 2 and 3 (default) or as CouchDB 1
// COUCHLIKE_HOST=127.0.0.1        the address to listen on

const { createApp } = require('./routes');
const { Sequences } = require('./sequences');
const { openStorage } = require('./storage');

const [port = '5984', place = ':memory:'] = process.argv.slice(2);
const {
  COUCHLIKE_ADMIN = '',
  COUCHLIKE_SEQ = 'opaque',
  COUCHLIKE_HOST: host = '127.0.0.1',
} = process.env;

function parseAdmin(text) {
  if (!text) return null;
  const colon = text.indexOf(':');
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function listen(app) {
  const server = app.listen(Number(port), host, () => {
    console.log(`couchlike on http://${host}:${port}/ data ${place} seqs ${COUCHLIKE_SEQ}`);
  });
  // Feeds stay open for as long as their clients want them.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65000;
  server.headersTimeout = 60000;
}

// PouchDB leaves promises behind, such as those of requests to a database just deleted.
process.on('unhandledRejection', (error) => console.error('unhandledRejection', error));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

const admin = parseAdmin(COUCHLIKE_ADMIN);
const storage = openStorage(place === ':memory:' ? null : place, admin);
listen(createApp(storage, new Sequences(COUCHLIKE_SEQ !== 'int'), admin));
