import { definePool } from "../../src/vm/pool/define-pool.ts";
import type { Machine } from "../memory-host/machine.ts";
import { ISCSI_POOL, makeScsiMachine } from "./devices.ts";
import { otherPoolXml } from "./pools.ts";
import { nodeOn } from "./scene.ts";

const SESSION = "/sys/class/iscsi_session/session1";

/** A machine with the inactive pool `other` of an iSCSI target, whose iscsiadm makes and ends its session. */
export async function makeTargetMachine(): Promise<Machine> {
  const machine = makeScsiMachine();
  machine.files.remove("/sys/dev/block/8:32/holders/dm-0");
  const { target } = machine.files.find(SESSION, false)?.inode ?? { target: "" };
  machine.files.remove(SESSION);
  machine.runProgram = (words) => {
    if (words.includes("--login")) machine.files.put(SESSION, "symlink", { target });
    if (words.includes("--logout")) machine.files.remove(SESSION);
    return { code: 0, errors: "" };
  };
  await definePool(nodeOn(machine), otherPoolXml("iscsi", ISCSI_POOL));
  return machine;
}
