import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import type { Guest } from "../model/guest.ts";

/** -device for the balloon, by which the host reclaims memory. */
export function formatBalloon(guest: Guest): Arguments {
  const { memballoon } = guest.devices;
  if (memballoon === undefined || memballoon.model === "none") return [];
  return jsonArguments("-device", {
    driver: virtioDriver("virtio-balloon", memballoon.model),
    ...virtioKeys(memballoon.driver),
    id: memballoon.alias ?? "balloon0",
    "deflate-on-oom": memballoon.autodeflate,
    "free-page-reporting": memballoon.freePageReporting,
    ...pciKeys(guest, memballoon.address),
  });
}
