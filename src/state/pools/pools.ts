import { xmlStore } from "../xml-store.ts";

/** Storage pools in `/etc/svirt/storage` and `/run/svirt/storage`. */
export const poolStore = xmlStore({
  folder: "storage",
  noun: "storage pool",
  defineCommand: "pool-define",
});
