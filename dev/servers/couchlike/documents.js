'use strict';
// _bulk_get, fast for winning revisions; and all of _all_docs.

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
    const answer = async (item) => ({ id: item.id, docs: await readRevisions(pouch, item, options) });
    response.json({ results: await Promise.all(wanted.map(answer)) });
  }
}

/** The revision asked for; without one, all leaves where there are several. */
async function readRevisions(pouch, item, options) {
  try {
    const doc = await pouch.get(item.id, { rev: item.rev, ...options, conflicts: !item.rev });
    if (doc._conflicts) return await readLeaves(pouch, doc);
    return [{ ok: inOrder(doc) }];
  } catch (error) {
    return error.reason === 'deleted' ? readDeletion(pouch, item, options) : [missing(item, error.reason)];
  }
}

/** Only rows of _all_docs tell which revision a deletion is; they take four times as long. */
async function readDeletion(pouch, item, options) {
  const { rows } = await pouch.allDocs({ keys: [item.id] });
  const { rev, deleted } = rows[0].value;
  if (!deleted) return readRevisions(pouch, item, options); // made again meanwhile
  return [{ ok: { _id: item.id, _rev: rev, _deleted: true } }];
}

/** CouchDB sends all leaves, deleted ones too, in an order of its own: the winner goes last here. */
async function readLeaves(pouch, { _id, _rev }) {
  const leaves = await pouch.get(_id, { open_revs: 'all' });
  const rank = ({ ok }) => (ok._rev === _rev ? 1 : 0);
  const found = leaves.filter(({ ok }) => ok).sort((one, other) => rank(one) - rank(other));
  return found.map(({ ok }) => ({ ok: inOrder(ok) }));
}

/** The fields in the order in which CouchDB writes them. */
const inOrder = ({ _id, _rev, ...rest }) => ({ _id, _rev, ...rest });

const missing = ({ id, rev }, reason) => ({
  error: { id, rev: rev || 'undefined', error: 'not_found', reason: reason || 'missing' },
});

const LAST_ID = JSON.stringify('\u{10ffff}');

/** PouchDB lists ids that begin beyond U+00FF only where it is told how far to go. */
function listAllIds({ query }, response, next) {
  const bounds = query.descending === 'true' ? ['startkey', 'start_key'] : ['endkey', 'end_key'];
  if (!['key', 'keys', ...bounds].some((name) => name in query)) query[bounds[0]] = LAST_ID;
  next();
}

module.exports = { Documents, inOrder, listAllIds };
