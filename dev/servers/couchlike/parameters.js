'use strict';
// Values of the query string.

const { CouchError, badRequest } = require('./errors');

/** A real server does not check these numbers: it fails on them, hence the 500. */
function integer(text, missing) {
  if (text === undefined || text === '') return missing;
  if (!/^-?\d+$/.test(text)) throw new CouchError(500, 'badarg', 'unknown_error');
  return Number(text);
}

function limit(text) {
  const value = integer(text, Infinity);
  return value < 0 ? Infinity : value;
}

/** Milliseconds between two heartbeats, 0 for none. */
function heartbeat(text) {
  if (text === undefined || text === 'false') return 0;
  if (text === 'true') return 60000;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw badRequest('The heartbeat value should be a positive integer (in milliseconds).');
}

module.exports = { heartbeat, integer, limit };
