import type { StoredFilter } from "../../vm/stored/select-stored.ts";
import type { Call, Option } from "../command.ts";

/** Options of a list of networks or pools, for a selection by their states. */
export function filterOptions(nouns: string): readonly Option[] {
  return [
    { name: "inactive", summary: `only ${nouns} that are inactive` },
    { name: "all", summary: `also ${nouns} that are inactive` },
    { name: "persistent", summary: `only ${nouns} with a definition` },
    { name: "transient", summary: `only ${nouns} without a definition` },
    { name: "autostart", summary: `only ${nouns} that start at boot` },
    { name: "no-autostart", summary: `only ${nouns} that do not start at boot` },
  ];
}

/** Returns the filter that the options ask for. cmdNetworkList() and cmdPoolList() of libvirt's tools */
export function filterOf({ options }: Pick<Call, "options">): StoredFilter {
  const [all, inactive] = [options.has("all"), options.has("inactive")];
  return {
    active: all || !inactive,
    inactive: all || inactive,
    persistent: options.has("persistent"),
    transient: options.has("transient"),
    autostart: options.has("autostart"),
    noAutostart: options.has("no-autostart"),
  };
}
