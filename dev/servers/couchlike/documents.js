'use strict';
// _bulk_get, fast for winning revisions: one read for all of them; and all of _all_docs.

class Documents {
  constructor(databases) {
    this.databases = databases;
  }

  /** The handler of POST /{db}/_bulk_get. */
  async bulkGet(request, response) {
    const { pouch } = await this.databases.get(request.params.db);
    const wanted = request.body?.docs ?? [];
    const options = {
      revs: request.query.revs === 'true',
      attachments: request.query.attachments === 'true',
    };
    const winners = await readWinners(pouch, wanted, options);
    const answer = async (item) => {
      const row = winners.get(item.id);
      if (row?.doc?._conflicts) return { id: item.id, docs: await readLeaves(pouch, item) };
      const doc = row ? fromRow(item, row) : await read(pouch, item, options);
      return { id: item.id, docs: [doc] };
    };
    response.json({ results: await Promise.all(wanted.map(answer)) });
  }
}

/** Rows of _all_docs by id, for those asked for without a revision and nothing special. */
async function readWinners(pouch, wanted, { revs, attachments }) {
  const keys = revs || attachments ? [] : wanted.filter((item) => !item.rev).map((item) => item.id);
  if (!keys.length) return new Map();
  const { rows } = await pouch.allDocs({ keys, include_docs: true, conflicts: true });
  return new Map(rows.map((row) => [row.key, row]));
}

function fromRow(item, { doc, value }) {
  if (doc) return { ok: doc };
  if (value?.deleted) return { ok: { _id: item.id, _rev: value.rev, _deleted: true } };
  return missing(item, 'missing');
}

/** CouchDB sends all leaves, deleted ones too, in an order of its own: the winner goes last here. */
async function readLeaves(pouch, { id }) {
  const winner = await pouch.get(id);
  const leaves = await pouch.get(id, { open_revs: 'all' });
  const rank = ({ ok }) => (ok._rev === winner._rev ? 1 : 0);
  return leaves.filter(({ ok }) => ok).sort((one, other) => rank(one) - rank(other));
}

async function read(pouch, item, options) {
  try {
    return { ok: await pouch.get(item.id, { rev: item.rev, ...options }) };
  } catch (error) {
    return missing(item, error.reason || 'missing');
  }
}

const missing = ({ id, rev }, reason) => ({
  error: { id, rev: rev || 'undefined', error: 'not_found', reason },
});

const LAST_ID = JSON.stringify('\u{10ffff}');

/** PouchDB lists ids that begin beyond U+00FF only where it is told how far to go. */
function listAllIds({ query }, response, next) {
  const bounds = query.descending === 'true' ? ['startkey', 'start_key'] : ['endkey', 'end_key'];
  if (!['key', 'keys', ...bounds].some((name) => name in query)) query[bounds[0]] = LAST_ID;
  next();
}

module.exports = { Documents, listAllIds };
