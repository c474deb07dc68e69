// What was typed and not yet confirmed by the server, kept in this browser: per writer, page and answer. Cleared on confirmation.
// Two people who share a computer do not get each other's text: the writer's random id is part of the key.

export const PREFIX = "gongchuang:unsaved";

export class LocalCopy {
  constructor(writer, address) {
    this.key = (answer) => `${PREFIX}:${writer}:${address}:${answer}`;
  }

  // Whether the browser could keep it; a full or forbidden store is no reason to stop typing, but must be told.
  put(answer, content) {
    try {
      localStorage.setItem(this.key(answer), JSON.stringify(content));
      return true;
    } catch {
      return false;
    }
  }

  get(answer) {
    try {
      return JSON.parse(localStorage.getItem(this.key(answer)) ?? "null");
    } catch {
      return null;
    }
  }

  drop(answer) {
    try {
      localStorage.removeItem(this.key(answer));
    } catch {
      // nothing is kept where nothing can be kept
    }
  }
}
