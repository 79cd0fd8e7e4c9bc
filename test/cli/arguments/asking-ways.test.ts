import { expect, test } from "bun:test";
import { askingWays } from "../../../src/cli/arguments/asking-ways.ts";

const waysOf = (mode: string) => askingWays({ options: new Map([["mode", mode]]) });

test.each([
  ["acpi", { byAgent: false, byButton: true }],
  ["agent", { byAgent: true, byButton: false }],
  ["acpi,agent", { byAgent: true, byButton: true }],
] as const)("--mode %s", (mode, ways) => expect(waysOf(mode)).toEqual(ways));

test.each([
  // cmdShutdown() of libvirt's virsh-domain.c
  ["x", "Unknown mode x value, expecting 'acpi', 'agent', 'initctl', 'signal', or 'paravirt'"],
  ["agent,signal", "Operation not supported: QEMU's guests are not asked by signal"],
])("--mode %s is refused", (mode, message) => expect(() => waysOf(mode)).toThrow(message));
