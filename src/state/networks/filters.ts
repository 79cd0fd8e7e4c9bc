import { xmlStore } from "../xml-store.ts";

/** Filters of interfaces in `/etc/svirt/nwfilters`. None is active, and none starts at boot. */
export const filterStore = xmlStore({
  folder: "nwfilters",
  noun: "filter",
  defineCommand: "nwfilter-define",
});
