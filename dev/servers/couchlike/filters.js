'use strict';
// The `filter` parameter of _changes, as options of PouchDB's changes().

const { badRequest, notFound } = require('./errors');

const BUILT_IN = {
  _doc_ids: byIds,
  _selector: bySelector,
  _design: () => ({ filter: (doc) => doc._id.startsWith('_design/') }),
  _view: byView,
};

async function filterOptions(pouch, { method, query, body }) {
  if (!query.filter) return {};
  const builtIn = Object.hasOwn(BUILT_IN, query.filter) && BUILT_IN[query.filter];
  return builtIn ? builtIn(query, body ?? {}, method) : byDesignDocument(pouch, query);
}

function byIds(query, body) {
  const ids = body.doc_ids ?? parsed(query.doc_ids);
  if (Array.isArray(ids)) return { doc_ids: ids };
  throw badRequest('`doc_ids` filter parameter is not a list of doc ids.');
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bySelector(query, body, method) {
  const { selector } = body;
  if (selector && typeof selector === 'object') return { filter: '_selector', selector };
  throw badRequest(
    method === 'POST'
      ? 'Selector error: expected a JSON object'
      : 'Selector must be specified in POST payload',
  );
}

function byView(query) {
  if (query.view) return { filter: '_view', view: query.view };
  throw badRequest('`view` filter parameter is not provided.');
}

/** Looked up first: PouchDB would tell of a missing filter only in the middle of the answer. */
async function byDesignDocument(pouch, query) {
  const [design, name] = query.filter.split('/');
  if (!name) throw badRequest('`filter` must be of the form `designname/filtername`');
  const { filters } = await designDocument(pouch, design);
  if (!filters?.[name]) throw notFound(`missing json key: ${filters ? name : 'filters'}`);
  return { filter: query.filter, query_params: { ...query } };
}

async function designDocument(pouch, name) {
  try {
    return await pouch.get(`_design/${name}`);
  } catch {
    throw notFound('missing');
  }
}

module.exports = { filterOptions };
