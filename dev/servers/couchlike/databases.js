'use strict';
// One handle a database: what was written since, who waits for it, and whether it is still there.

const crypto = require('crypto');
const cleanName = require('express-pouchdb/lib/clean-filename');
const { noDatabase } = require('./errors');
const { Waiters } = require('./waiters');

const MARK = '_local/couchlike';
const INTERNAL = /^(_replicator|_users|pouch__all_dbs__|.*-mrview-.*|.*-search-.*)$/;

class Database {
  constructor(name, pouch) {
    this.name = name;
    this.pouch = pouch;
    this.version = 0;
    this.waiters = new Waiters();
    this.gone = false;
    this.live = null;
  }

  async load(onWrite) {
    this.pouch.setMaxListeners(0);
    await this.pouch.info();
    const mark = await this.mark();
    this.incarnation = mark.incarnation;
    this.createdSeconds = mark.createdSeconds;
    this.live = this.pouch.changes({ live: true, since: 'now', return_docs: false });
    this.live.on('change', () => {
      this.version += 1;
      this.waiters.wake();
      onWrite();
    });
    this.live.on('error', () => {});
    return this;
  }

  /** Tells this database from an earlier one of the same name; stored and deleted with it. */
  async mark() {
    try {
      return await this.pouch.get(MARK);
    } catch {
      const mark = {
        _id: MARK,
        incarnation: crypto.randomBytes(4).toString('hex'),
        createdSeconds: Math.floor(Date.now() / 1000),
      };
      await this.pouch.put(mark);
      return mark;
    }
  }

  end() {
    this.gone = true;
    this.live?.cancel();
    this.waiters.wake();
  }
}

class Databases {
  constructor({ Pouch, prefix }, updates) {
    this.Pouch = Pouch;
    this.prefix = prefix;
    this.updates = updates;
    this.open = new Map();
    this.known = new Set();
    Pouch.on('created', (name) => this.onCreated(this.withoutPrefix(name)));
    Pouch.on('destroyed', (name) => this.onDestroyed(this.withoutPrefix(name)));
  }

  withoutPrefix(name) {
    return name.startsWith(this.prefix) ? name.slice(this.prefix.length) : name;
  }

  async exists(name) {
    return (await this.Pouch.allDbs()).includes(cleanName(name));
  }

  /** The handle of a database; refuses where there is none, for opening one would create it. */
  async get(rawName) {
    const name = cleanName(rawName);
    if (!this.open.has(name) && !(await this.exists(rawName))) throw noDatabase();
    // Looked up again: another request may have opened it meanwhile.
    if (!this.open.has(name)) this.open.set(name, this.load(name));
    return this.open.get(name).ready;
  }

  load(name) {
    const database = new Database(name, new this.Pouch(name));
    const ready = database.load(() => this.updates.add('updated', name));
    ready.catch(() => this.open.delete(name));
    return { database, ready };
  }

  /** PouchDB tells of every opening, so of old databases too. */
  onCreated(name) {
    if (!this.known.has(name)) {
      this.known.add(name);
      this.updates.add('created', name);
    }
    // Opened at once: the incarnation of a database begins with it, not with its first reader.
    if (!INTERNAL.test(name)) setImmediate(() => this.get(name).catch(() => {}));
  }

  onDestroyed(name) {
    this.open.get(name)?.database.end();
    this.open.delete(name);
    this.known.delete(name);
    this.updates.add('deleted', name);
  }
}

module.exports = { Databases };
