'use strict';
// Refusals in the words of CouchDB: a status with {"error": ..., "reason": ...}.

class CouchError extends Error {
  constructor(status, error, reason) {
    super(reason);
    Object.assign(this, { status, error, reason });
  }
}

const badRequest = (reason) => new CouchError(400, 'bad_request', reason);
const notFound = (reason) => new CouchError(404, 'not_found', reason);
const noDatabase = () => notFound('Database does not exist.');

function sendError(response, error) {
  if (response.headersSent) return response.end();
  return response.status(error.status || 500).json({
    error: error.error || error.name || 'unknown_error',
    reason: error.reason || error.message,
  });
}

/** Express 4 does not look at promises: what an async handler throws has to be answered here. */
function answering(handler) {
  return async (request, response, next) => {
    try {
      await handler(request, response, next);
    } catch (error) {
      sendError(response, error);
    }
  };
}

module.exports = { CouchError, answering, badRequest, noDatabase, notFound, sendError };
