// The live connection: comes back by itself, and says honestly when it is away.

const FIRST = 500;
const LAST = 15000;
const SILENCE = 40000; // the server ticks every 15 s

export class Wire {
  // hear: { message(data), state(name, secondsToNextTry), forgotten() }; query() gives the address's parameters.
  constructor(hear, query) {
    this.hear = hear;
    this.query = query;
    this.tries = 0;
    this.wanted = false;
    this.socket = null;
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  start() {
    this.wanted = true;
    this.drop();
    this.connect();
  }

  stop() {
    this.wanted = false;
    this.drop();
  }

  now() {
    if (this.wanted && !this.open && this.socket?.readyState !== WebSocket.CONNECTING) this.connect();
  }

  send(data) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(data));
    return true;
  }

  drop() {
    clearTimeout(this.retry);
    clearTimeout(this.watch);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  connect() {
    this.drop();
    this.hear.state("connecting");
    const address = new URL("/api/console", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams(this.query()).toString();
    const socket = new WebSocket(address);
    this.socket = socket;
    this.listen();
    socket.addEventListener("message", (event) => {
      if (socket !== this.socket) return;
      this.listen();
      const data = JSON.parse(event.data);
      if (data.type === "snapshot") this.tries = 0; // greeted and sent away again is no success
      this.hear.message(data);
    });
    socket.addEventListener("close", () => { if (socket === this.socket) this.lost(); });
  }

  listen() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => { const { socket } = this; this.lost(); socket?.close(); }, SILENCE);
  }

  async lost() {
    this.drop();
    const delay = Math.min(LAST, FIRST * 2 ** this.tries) * (0.7 + Math.random() * 0.6);
    this.tries += 1;
    this.hear.state("lost", Math.ceil(delay / 1000));
    this.retry = setTimeout(() => this.connect(), delay);
    if (await this.hear.forgotten()) this.stop();
  }
}
