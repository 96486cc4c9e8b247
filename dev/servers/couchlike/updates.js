'use strict';
// _db_updates: one row a database, its latest event. In memory, so it begins with the server.

const feeds = require('./feeds');
const parameters = require('./parameters');
const { Waiters } = require('./waiters');

const ORIGIN = 'srvr';
const INTERNAL = /^pouch__all_dbs__$|-mrview-|^_replicator$/;

class Updates {
  constructor(sequences) {
    this.sequences = sequences;
    this.number = 0;
    this.latest = new Map();
    this.waiters = new Waiters();
  }

  /** `type` is created, updated or deleted. */
  add(type, name) {
    if (INTERNAL.test(name)) return;
    // Deleted first, so that the map stays in the order of the events.
    this.latest.delete(name);
    this.number += 1;
    this.latest.set(name, { type, number: this.number });
    this.waiters.wake();
  }

  after(number, limit) {
    const events = [...this.latest].filter(([, event]) => event.number > number);
    return events.slice(0, limit);
  }

  format(number) {
    return this.sequences.format(number, ORIGIN);
  }

  /** The handler of GET /_db_updates. */
  async follow(request, response) {
    const { query } = request;
    const since = this.sequences.parse(query.since, ORIGIN);
    if (query.feed === 'continuous' && query.timeout === undefined) query.heartbeat ??= 'true';
    await feeds.follow(request, response, {
      source: new UpdatesSource(this),
      since: since === 'now' ? this.number : since,
      limit: parameters.limit(query.limit),
    });
  }
}

class UpdatesSource {
  constructor(updates) {
    this.updates = updates;
  }

  get gone() {
    return false;
  }

  get version() {
    return this.updates.number;
  }

  wait(callback) {
    return this.updates.waiters.add(callback);
  }

  async read(since, limit) {
    const events = this.updates.after(since, limit);
    return {
      rows: events.map(([name, event]) => this.row(name, event)),
      last: events.length ? events[events.length - 1][1].number : since,
      done: events.length < limit,
    };
  }

  row(name, { type, number }) {
    return { db_name: name, type, seq: this.updates.format(number) };
  }

  end(last) {
    return { last_seq: this.updates.format(last) };
  }
}

module.exports = { Updates };
