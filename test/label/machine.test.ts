import { describe, expect, test } from "bun:test";
import { decideMachine, type MachineFacts } from "../../src/label/machine.ts";

const FACTS: MachineFacts = {
  machineId: "0123456789abcdef0123456789abcdef\n",
  isTransient: false,
  productUuid: "AAAABBBB-0001-0002-0003-CCCCDDDDEEEE\n",
  keptId: undefined,
  bootId: "11111111-2222-4333-8444-555555555555",
  hostName: "node1\n",
};
const MACHINE_ID = "0123456789abcdef0123456789abcdef";
const BOARD = "aaaabbbb000100020003ccccddddeeee";
const BOOT = "11111111222243338444555555555555";

describe("decideMachine()", () => {
  test.each<[string, Partial<MachineFacts>, string]>([
    ["takes the machine-id", {}, MACHINE_ID],
    ["takes it in capitals as the same", { machineId: MACHINE_ID.toUpperCase() }, MACHINE_ID],
    ["takes the board's UUID where there is none", { machineId: undefined }, BOARD],
    ["takes the board's UUID where it was made for this boot", { isTransient: true }, BOARD],
    ["takes the board's UUID before the first boot is over", { machineId: "uninitialized\n" }, BOARD],
    ["takes the board's UUID where it is empty, as in an image", { machineId: "" }, BOARD],
    [
      "takes what svirt keeps where there is neither",
      { machineId: undefined, productUuid: undefined, keptId: "22222222-2222-4333-8444-555555555555\n" },
      "22222222222243338444555555555555",
    ],
    ["takes the board's before what svirt keeps", { machineId: undefined, keptId: BOOT }, BOARD],
    ["takes the boot's where there is neither", { machineId: undefined, productUuid: undefined }, BOOT],
    ...["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Not Settable"].map(
      (productUuid): [string, Partial<MachineFacts>, string] => [
        `takes no board's word that says ${productUuid}`,
        { machineId: undefined, productUuid },
        BOOT,
      ],
    ),
    [
      "takes no board's word that all boards of its vendor say",
      { machineId: undefined, productUuid: "03000200-0400-0500-0006-000700080009" },
      BOOT,
    ],
  ])("%s", (_, facts, id) => {
    expect(decideMachine({ ...FACTS, ...facts })).toEqual({ id, name: "node1" });
  });

  test("has a name even where the host has none", () => {
    expect(decideMachine({ ...FACTS, hostName: "\n" }).name).toBe("localhost");
  });
});
