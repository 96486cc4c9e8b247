'use strict';
// Where documents are kept, LevelDB files or memory, and the routes that come with that storage.

const fs = require('fs');
const os = require('os');
const path = require('path');
const expressPouch = require('express-pouchdb');
const PouchDB = require('pouchdb-node');

/** PouchDB brings LevelDB 1.20. After hours of a few documents being written a thousand times, while
 * the server was killed now and then, its point reads gave older versions than its scans. */
function sturdyStore() {
  try {
    return { db: require('rocksdb') };
  } catch {
    return {}; // no binary for this machine
  }
}

/** `folder` is null for databases in memory; the configuration needs a folder even then. */
function openStorage(folder, admin) {
  const root = folder === null ? temporaryFolder() : path.resolve(folder);
  const options = folder === null ? inMemory(root) : { prefix: path.join(root, 'db') + path.sep, ...sturdyStore() };
  fs.mkdirSync(options.prefix, { recursive: true });

  const configPath = path.join(root, 'config.json');
  const config = writeConfig(configPath, root, admin);
  const Pouch = PouchDB.defaults(options);
  const routes = expressPouch(Pouch, {
    configPath,
    mode: 'fullCouchDB',
    overrideMode: { exclude: ['routes/fauxton', 'routes/http-log', 'compression'] },
  });
  Pouch.setMaxListeners(0);
  return { Pouch, routes, prefix: options.prefix, uuid: config.couchdb?.uuid ?? '0'.repeat(32) };
}

function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'couchlike-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function inMemory(root) {
  PouchDB.plugin(require('pouchdb-adapter-memory'));
  return { prefix: root + path.sep, adapter: 'memory' };
}

function writeConfig(file, root, admin) {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const config = JSON.parse(text || '{}');
  config.log = { file: path.join(root, 'couch.log'), level: 'warning', ...config.log };
  if (admin) config.admins = { [admin.name]: admin.password };
  fs.writeFileSync(file, JSON.stringify(config, null, 2));
  return config;
}

module.exports = { openStorage };
