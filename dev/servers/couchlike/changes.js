'use strict';
// _changes of one database.

const feeds = require('./feeds');
const parameters = require('./parameters');
const { inOrder } = require('./documents');
const { filterOptions } = require('./filters');

/** Rows of a change as CouchDB writes them, keys in its order. */
class Rows {
  constructor(format, { query, body }) {
    this.format = format;
    this.includeDocs = query.include_docs === 'true';
    this.interval = parameters.integer(query.seq_interval, 0);
    this.fields = query.filter === '_selector' ? body?.fields : undefined;
    this.count = 0;
  }

  row(change) {
    const row = { seq: this.seq(change), id: change.id, changes: change.changes };
    if (change.deleted) row.deleted = true;
    if (this.includeDocs) row.doc = this.doc(change);
    return row;
  }

  /** With an interval the first of each so many rows has a sequence, the others have none. */
  seq(change) {
    const isFirst = this.interval <= 1 || this.count % this.interval === 0;
    this.count += 1;
    return isFirst ? this.format(change.seq) : null;
  }

  doc({ doc, deleted }) {
    if (!doc) return doc;
    const whole = { ...inOrder(doc), ...(deleted && { _deleted: true }) };
    if (!Array.isArray(this.fields)) return whole;
    const wanted = this.fields.filter((key) => key in whole);
    return Object.fromEntries(wanted.map((key) => [key, whole[key]]));
  }
}

class ChangesSource {
  constructor({ database, newest, format, rows, options }) {
    Object.assign(this, { database, newest, format, rows, options });
    this.hasRead = false;
  }

  get gone() {
    return this.database.gone;
  }

  get version() {
    return this.database.version;
  }

  wait(callback) {
    return this.database.waiters.add(callback);
  }

  async read(since, limit) {
    if (this.gone) return { rows: [], last: since, done: true };
    // Asked for before reading: what a filter hides up to there has been read too.
    const { update_seq: before } = await this.database.pouch.info();
    const { results } = await this.database.pouch.changes({ ...this.options, since, limit });
    const isFull = results.length >= limit;
    const lastRow = results.length ? results[results.length - 1].seq : since;
    const last = isFull ? lastRow : Math.max(lastRow, before);
    this.newest = Math.max(this.newest, before, last);
    return { rows: results.map((change) => this.rows.row(change)), last, done: !isFull };
  }

  end(last) {
    return { last_seq: this.format(last), pending: Math.max(0, this.newest - last) };
  }
}

/** Newest first: read once and whole, for there is no reading on from the oldest. */
class DescendingSource extends ChangesSource {
  async read(since) {
    if (this.hasRead || this.gone) return { rows: [], last: since, done: true };
    this.hasRead = true;
    const { results } = await this.database.pouch.changes({ ...this.options, descending: true });
    const rows = results.map((change) => this.rows.row(change));
    return { rows, last: rows.length ? results[rows.length - 1].seq : since, done: true };
  }

  end(last) {
    return { last_seq: this.format(last), pending: 0 };
  }
}

class Changes {
  constructor(databases, sequences) {
    this.databases = databases;
    this.sequences = sequences;
  }

  /** The handler of GET and POST /{db}/_changes. */
  async follow(request, response) {
    const { query, params, headers } = request;
    const database = await this.databases.get(params.db);
    const text = query.since ?? headers['last-event-id'];
    const since = this.sequences.parse(text, database.incarnation);
    const { update_seq: newest } = await database.pouch.info();
    const limit = parameters.limit(query.limit);
    await feeds.follow(request, response, {
      source: await this.source(request, database, newest, limit),
      since: since === 'now' ? newest : since,
      limit,
    });
  }

  async source(request, database, newest, limit) {
    const format = (number) => this.sequences.format(number, database.incarnation);
    const Source = request.query.descending === 'true' ? DescendingSource : ChangesSource;
    return new Source({
      database,
      newest,
      format,
      rows: new Rows(format, request),
      options: {
        ...readOptions(request.query),
        ...(await filterOptions(database.pouch, request)),
        limit: Number.isFinite(limit) ? limit : undefined,
      },
    });
  }
}

const readOptions = (query) => ({
  include_docs: query.include_docs === 'true',
  attachments: query.attachments === 'true',
  conflicts: query.conflicts === 'true',
  style: query.style === 'all_docs' ? 'all_docs' : 'main_only',
  return_docs: true,
  binary: false,
});

module.exports = { Changes };
