'use strict';
// What GET /{db} and _dbs_info tell of a database.


const SAMPLE_DOCS = 10;
const EMPTY_FILE_BYTES = 16384;

/** Mean bytes of the newest documents as JSON, taken again after a tenth more changes. */
class DocumentSizes {
  constructor() {
    this.samples = new WeakMap();
  }

  async mean(database, newest) {
    const sample = this.samples.get(database);
    if (sample && newest <= sample.newest * 1.1) return sample.bytes;
    const bytes = await meanBytes(database.pouch);
    this.samples.set(database, { newest, bytes });
    return bytes;
  }
}

async function meanBytes(pouch) {
  const options = { descending: true, limit: SAMPLE_DOCS, include_docs: true };
  const { results } = await pouch.changes(options);
  const live = results.filter((change) => !change.deleted);
  const docs = (live.length ? live : results).map((change) => change.doc);
  const bytes = docs.reduce((sum, doc) => sum + Buffer.byteLength(JSON.stringify(doc)), 0);
  return docs.length ? bytes / docs.length : 0;
}

class Information {
  constructor(databases, sequences) {
    this.databases = databases;
    this.sequences = sequences;
    this.documentSizes = new DocumentSizes();
  }

  async describe(name) {
    const database = await this.databases.get(name);
    const { doc_count, update_seq } = await database.pouch.info();
    const mean = await this.documentSizes.mean(database, update_seq);
    return {
      instance_start_time: String(database.createdSeconds),
      db_name: name,
      purge_seq: this.sequences.format(0, database.incarnation),
      update_seq: this.sequences.format(update_seq, database.incarnation),
      sizes: sizes(Math.round(mean * doc_count)),
      props: {},
      doc_del_count: 0,
      doc_count,
      disk_format_version: 8,
      compact_running: false,
      cluster: { q: 1, n: 1, w: 1, r: 1 },
    };
  }

  /** The handler of GET /{db}; other routes answer for names like _up. */
  async ofOne(request, response, next) {
    const { db } = request.params;
    if (db.startsWith('_') && !['_users', '_replicator'].includes(db)) return next();
    return response.json(await this.describe(db));
  }

  /** The handler of POST /_dbs_info. */
  async ofMany(request, response) {
    const keys = request.body.keys ?? [];
    response.json(await Promise.all(keys.map((key) => this.describeOrError(key))));
  }

  async describeOrError(key) {
    try {
      return { key, info: await this.describe(key) };
    } catch (error) {
      if (error.status !== 404) throw error;
      return { key, error: 'not_found' };
    }
  }
}

/** CouchDB compresses and keeps old revisions; here only the order of magnitude is meant. */
const sizes = (external) => ({ file: EMPTY_FILE_BYTES + 2 * external, external, active: external });

module.exports = { Information };
