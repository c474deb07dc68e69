// The draft of a sealed bid, in this browser only (IndexedDB): what was typed, the files, and what has been sealed and not yet been sent.
// One database for each writer, so that two people who share a computer do not get each other's text, and signing out can clear all of it.
import { PREFIX } from "../web/local-copy.js";

const STORES = ["drafts", "files", "sealed"];

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function opened(writer) {
  const request = indexedDB.open(`${PREFIX}:${writer}`, 1);
  request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
  return done(request);
}

export class Draft {
  // writer: a random id; place: the address of the bid's page.
  constructor(writer, place) {
    this.writer = writer;
    this.place = place;
    this.note = `${PREFIX}:${writer}:${place}:sealed`;
  }

  async store(name, mode, act) {
    this.base ??= opened(this.writer);
    const transaction = (await this.base).transaction(name, mode);
    const finished = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const value = await done(act(transaction.objectStore(name)));
    await finished;
    return value;
  }

  // {pairs: [[control, text], …], carried: as Carried.waits, at}; null when there is none.
  async read() {
    return (await this.store("drafts", "readonly", (s) => s.get(this.place))) ?? null;
  }

  // Whether anything is kept is noted where signing out looks for it.
  async keep(pairs, carried) {
    await this.store("drafts", "readwrite", (s) => s.put({ pairs, carried, at: new Date().toISOString() }, this.place));
    localStorage.setItem(this.note, "true");
  }

  // [{code, name, blob}, …] in the order in which they were chosen.
  async files() {
    const mine = IDBKeyRange.bound([this.place], [this.place, []]);
    return this.store("files", "readonly", (s) => s.getAll(mine));
  }

  putFile(file) {
    return this.store("files", "readwrite", (s) => s.put(file, [this.place, file.code, file.name]));
  }

  dropFile({ code, name }) {
    return this.store("files", "readwrite", (s) => s.delete([this.place, code, name]));
  }

  dropFiles() {
    return this.store("files", "readwrite", (s) => s.delete(IDBKeyRange.bound([this.place], [this.place, []])));
  }

  // What was sealed and has not been accepted yet: {header, files: [[name, Blob], …], declarations, kept, name}.
  async sealed() {
    return (await this.store("sealed", "readonly", (s) => s.get(this.place))) ?? null;
  }

  putSealed(value) {
    return this.store("sealed", "readwrite", (s) => s.put(value, this.place));
  }

  dropSealed() {
    return this.store("sealed", "readwrite", (s) => s.delete(this.place));
  }
}

// One tab writes, the others look on: the newest that asks gets the pen. Calls back when it has it, and when it is taken away.
// A second lock, which nobody steals, is held until the tab that lost the pen has kept its last words: the new one reads the draft after that.
const PATIENCE = 5000; // ms to wait for those words; a tab that the system has put to sleep may never say them

export function holdPen(place, { given, taken, refused }) {
  const name = `gongchuang-sealed:${place}`;
  let release = () => {};
  let lost = false;
  const lastWords = () =>
    new Promise((resolve) => {
      setTimeout(resolve, PATIENCE);
      navigator.locks.request(`${name}:kept`, () => {
        resolve();
        return lost ? undefined : new Promise((done) => (release = done));
      });
    });
  const hold = (options) => {
    lost = false;
    return navigator.locks
      .request(name, options, async (lock) => {
        if (!lock) return refused();
        await lastWords();
        if (!lost) given();
        return new Promise(() => {}); // until the tab is closed or another one takes it
      })
      .catch(async () => {
        lost = true;
        await taken();
        release();
      });
  };
  if (!navigator.locks) given();
  else hold({ ifAvailable: true });
  return () => hold({ steal: true });
}
