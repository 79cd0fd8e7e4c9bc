import type { Operand } from "../command.ts";

/** Operand of every command for a network interface. */
export const INTERFACE_OPERAND: Operand = {
  name: "interface",
  summary: "name of the interface on the host (vnet0), or its MAC address",
};
