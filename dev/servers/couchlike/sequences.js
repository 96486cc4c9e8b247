'use strict';
// Update sequences: opaque strings as in CouchDB 2 and 3, or integers as in CouchDB 1.

const { badRequest } = require('./errors');

const FILLING = 'g1AAAACTeJzLYWBgYMpgTmHgLyjKT0p1MDQy1zMAQsMckEQiQ1L9____szKYE';
const OPAQUE = /^(\d+)-([\w-]+)$/;

/** `origin` is the incarnation of the database that a sequence belongs to. */
class Sequences {
  constructor(opaque) {
    this.opaque = opaque;
  }

  format(number, origin) {
    if (!this.opaque) return number;
    return `${number}-${FILLING}${Buffer.from(`${origin}:${number}`).toString('base64url')}`;
  }

  /** What `since` asks for: a number, or 'now'. */
  parse(text, origin) {
    if (text === undefined || text === '0') return 0;
    if (text === 'now') return 'now';
    return this.opaque ? this.parseOpaque(text, origin) : this.parseInteger(text);
  }

  parseInteger(text) {
    if (!/^\d+$/.test(text)) throw malformed();
    return Number(text);
  }

  parseOpaque(text, origin) {
    // An event source repeats the id of its last event, a sequence with its JSON quotes.
    const match = OPAQUE.exec(text.replace(/^"(.*)"$/, '$1'));
    if (!match || !match[2].startsWith(FILLING)) throw malformed();
    const hidden = Buffer.from(match[2].slice(FILLING.length), 'base64url').toString();
    const [itsOrigin, number] = hidden.split(':');
    if (number !== match[1]) throw malformed();
    // A sequence of a database since deleted and made again is taken, and means: from the start.
    return itsOrigin === origin ? Number(number) : 0;
  }
}

const malformed = () => badRequest("Malformed sequence supplied in 'since' parameter.");

module.exports = { Sequences };
