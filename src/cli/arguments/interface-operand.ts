import type { Operand } from "../command.ts";

/** The operand of every command that is about one network interface. */
export const INTERFACE_OPERAND: Operand = {
  name: "interface",
  summary: "its name on the host (vnet0) or its MAC address",
};
