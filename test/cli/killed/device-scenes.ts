import { detachDevice } from "../../../src/vm/node-device/detach.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { configOf } from "../../scenes/host-devices.ts";
import { pciFolder, putPciDevices } from "../../scenes/pci.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import type { Scene } from "./strike-command.ts";

const ADDRESS = "0000:06:00.0";
const NAME = "pci_0000_06_00_0";

async function attached(): Promise<Machine> {
  const machine = makeMachine();
  machine.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(machine, [{ name: ADDRESS, group: "12", driver: "e1000e", match: "e1000e" }]);
  machine.files.put(`${pciFolder(ADDRESS)}/config`, "file", { bytes: configOf({}) });
  return machine;
}

async function detached(): Promise<Machine> {
  const machine = await attached();
  await detachDevice(nodeOn(machine), NAME);
  return machine;
}

/** Scenes of the commands that change devices of the host. */
export const DEVICE_SCENES: Readonly<Record<string, readonly Scene[]>> = {
  "nodedev-detach": [
    { prepare: attached, words: ["nodedev-detach", NAME] },
    {
      name: "then reattach",
      prepare: attached,
      words: ["nodedev-detach", NAME],
      next: ["nodedev-reattach", NAME],
    },
  ],
  "nodedev-reattach": [{ prepare: detached, words: ["nodedev-reattach", NAME] }],
};
