import type { Option } from "./command.ts";

/** Options for the active network or its definition. */
export const NETWORK_IMPACT_OPTIONS: readonly Option[] = [
  { name: "live", summary: "the active network" },
  { name: "config", summary: "the definition, for the next start" },
  { name: "current", summary: "the network if it is active, else the definition; the default" },
];
