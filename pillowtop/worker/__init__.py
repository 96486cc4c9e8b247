"""The running: greenlets, supervision, signals. The only room that knows gevent."""
