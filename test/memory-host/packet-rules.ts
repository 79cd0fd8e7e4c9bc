import { hostCall } from "./file-tree.ts";

/** A statement of a script that concerns a whole table. */
const STATEMENT = /^(?<verb>add |delete |)table (?<table>\S+ \S+)(?: \{\n(?<text>(?: {2}.*\n)*)\})?$/gm;

/** Tables of the packet filter, as far as scripts of svirt change them. */
export class PacketRules {
  /** Text of each table, by its family and name. */
  readonly tables = new Map<string, string>();
  /** Whether the host has nft. */
  isThere = true;

  readonly #hasDevice: (name: string) => boolean;

  constructor(hasDevice: (name: string) => boolean) {
    this.#hasDevice = hasDevice;
  }

  /** Removes all tables, as a reboot does. */
  clear(): void {
    this.tables.clear();
  }

  /** Removes a table without nft. */
  remove(table: string): void {
    this.tables.delete(table);
  }

  /** Returns all tables as nft lists them. */
  list(): string {
    if (!this.isThere) throw hostCall("list rules of the packet filter", "ENOENT");
    return [...this.tables].map(([table, text]) => `table ${table} {\n${text}}\n`).join("");
  }

  /** Applies a script, which adds and deletes tables and adds whole ones. nft(8) */
  apply(script: string): void {
    if (!this.isThere) throw hostCall("set rules of the packet filter", "ENOENT");
    for (const { groups } of script.matchAll(STATEMENT)) {
      const { table = "", text = "", verb } = groups ?? {};
      // A chain of a device needs it. nft_chain_parse_netdev() of Linux
      for (const [, device = ""] of text.matchAll(/ device "([^"]*)"/g))
        if (!this.#hasDevice(device)) throw hostCall("set rules of the packet filter", "ENOENT");
      if (verb === "delete ") this.tables.delete(table);
      else this.tables.set(table, text);
    }
  }
}
