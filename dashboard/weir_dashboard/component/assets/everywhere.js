// Keys that every page obeys (shell.js); lists of keys end with them.

export const EVERYWHERE = [
  { keys: ["g", "…"], does: "go to a page: its letter follows" },
  { keys: ["?"], does: "these keys" },
];
