import { forEach, type UnreadyRule } from "./unready.ts";

/** Memory that comes from more than QEMU's own. */
export const UNREADY_MEMORY: readonly UnreadyRule[] = forEach("memory", ({ devices }) => devices.memories, [
  {
    missing: "give a guest the processor's enclaves (model='sgx-epc')",
    why: "QEMU opens /dev/sgx_vepc by its name, and the policy has no type for it that svirt could label and give back",
    isAsked: ({ model }) => model === "sgx-epc",
  },
]);
