'use strict';
// The four kinds of feeds, over any source of rows.
//
// A source has: read(since, limit) -> {rows, last, done}, version (changes with each write),
// wait(callback) -> function that takes it back, gone (deleted), end(last) -> the closing object.

const { badRequest } = require('./errors');
const parameters = require('./parameters');

const PAGE_ROWS = 500;
const LONGEST_TIMEOUT = 60000;

class ArrayFraming {
  contentType = 'application/json';
  head = '{"results":[\n';
  heartbeat = '\n';
  separator = '';

  row(body) {
    const text = this.separator + JSON.stringify(body);
    this.separator = ',\r\n';
    return text;
  }

  tail(end) {
    return `\n],\n${JSON.stringify(end).slice(1)}\n`;
  }
}

class LineFraming {
  contentType = 'application/json';
  head = '';
  heartbeat = '\n';

  row(body) {
    return `${JSON.stringify(body)}\n`;
  }

  tail(end) {
    return `${JSON.stringify(end)}\n`;
  }
}

class EventFraming {
  contentType = 'text/event-stream';
  head = '';
  heartbeat = 'event: heartbeat\ndata: \n\n';

  row(body) {
    return `data: ${JSON.stringify(body)}\nid: ${JSON.stringify(body.seq)}\n\n`;
  }

  tail() {
    return '';
  }
}

const FRAMINGS = {
  normal: ArrayFraming,
  longpoll: ArrayFraming,
  continuous: LineFraming,
  live: LineFraming,
  eventsource: EventFraming,
};

class Feed {
  constructor(response, query, { source, since, limit }) {
    const kind = query.feed || 'normal';
    if (!Object.hasOwn(FRAMINGS, kind)) {
      throw badRequest('Supported `feed` types: normal, continuous, live, longpoll, eventsource');
    }
    this.response = response;
    this.source = source;
    this.last = since;
    this.left = limit;
    this.framing = new FRAMINGS[kind]();
    this.isLive = kind !== 'normal';
    this.endsWithRows = kind === 'longpoll';
    this.heartbeat = parameters.heartbeat(query.heartbeat);
    this.timeout = Math.min(parameters.integer(query.timeout, LONGEST_TIMEOUT), LONGEST_TIMEOUT);
    this.closed = false;
    this.hasRows = false;
    this.hasWaited = false;
    this.beat = null;
    this.stopWaiting = null;
  }

  async run() {
    try {
      await this.begin();
      await this.followSource();
      if (!this.closed) await this.finish();
    } catch (error) {
      console.error('feed', error);
      this.response.destroy();
    } finally {
      clearInterval(this.beat);
    }
  }

  async begin() {
    const { response, framing } = this;
    response.on('close', () => {
      this.closed = true;
      this.stopWaiting?.();
    });
    response.status(200).setHeader('Content-Type', framing.contentType);
    if (framing instanceof EventFraming) response.setHeader('Cache-Control', 'no-cache');
    response.flushHeaders();
    if (framing.head) await this.write(framing.head);
    if (this.heartbeat && this.isLive) {
      const beat = () => this.closed || response.write(framing.heartbeat);
      this.beat = setInterval(beat, this.heartbeat);
    }
  }

  async followSource() {
    for (;;) {
      const { version } = this.source;
      await this.sendRows();
      if (this.closed || !this.isLive || this.left <= 0 || this.source.gone) return;
      if (this.endsWithRows && this.hasRows) return;
      const woken = await this.waitForNews(version);
      if (!woken || this.closed) return;
    }
  }

  /** Sends all rows there are, page by page. */
  async sendRows() {
    for (let done = false; !done && this.left > 0 && !this.closed; ) {
      const page = await this.read(Math.min(this.left, PAGE_ROWS));
      this.left -= page.rows.length;
      this.last = page.last;
      done = page.done;
      if (page.rows.length === 0) continue;
      this.hasRows = true;
      await this.write(page.rows.map((row) => this.framing.row(row)).join(''));
      this.beat?.refresh();
    }
  }

  /** A database deleted in the middle of a read ends its feeds as cleanly as between two. */
  async read(limit) {
    try {
      return await this.source.read(this.last, limit);
    } catch (error) {
      if (!this.source.gone) throw error;
      return { rows: [], last: this.last, done: true };
    }
  }

  /** Resolves to whether to go on: false after a timeout, which a heartbeat overrides. */
  waitForNews(version) {
    return new Promise((resolve) => {
      if (this.source.version !== version || this.source.gone) return resolve(true);
      const finish = (woken) => {
        clearTimeout(timer);
        takeBack();
        this.stopWaiting = null;
        resolve(woken);
      };
      const takeBack = this.source.wait(() => finish(true));
      const timer = this.heartbeat ? null : setTimeout(() => finish(false), this.timeout);
      this.stopWaiting = () => finish(true);
      this.announceWaiting();
    });
  }

  /** A real server sends an empty line once it has no more rows: clients see that it lives. */
  announceWaiting() {
    if (this.hasWaited) return;
    this.hasWaited = true;
    this.response.write('\n');
  }

  async finish() {
    const tail = this.framing.tail(this.source.end(this.last));
    if (tail) await this.write(tail);
    if (this.isLive) await this.write('\n');
    this.response.end();
  }

  /** Waits while the client does not read: a feed of millions of rows must not pile up here. */
  async write(text) {
    const { response } = this;
    if (this.closed || response.write(text)) return;
    await new Promise((resolve) => {
      const finish = () => {
        response.off('drain', finish).off('close', finish);
        resolve();
      };
      response.on('drain', finish).on('close', finish);
    });
  }
}

async function follow(request, response, options) {
  request.socket.setNoDelay(true);
  await new Feed(response, request.query, options).run();
}

module.exports = { follow };
