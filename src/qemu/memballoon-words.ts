import { pciKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import { virtioDriver, virtioKeys } from "./virtio-keys.ts";
import { jsonWords, type Words } from "./words.ts";

/** -device for the balloon, by which the host takes memory back. */
export function formatBalloon(guest: Guest): Words {
  const { memballoon } = guest.devices;
  if (memballoon === undefined || memballoon.model === "none") return [];
  return jsonWords("-device", {
    driver: virtioDriver("virtio-balloon", memballoon.model),
    ...virtioKeys(memballoon.driver),
    id: memballoon.alias ?? "balloon0",
    "deflate-on-oom": memballoon.autodeflate,
    "free-page-reporting": memballoon.freePageReporting,
    ...pciKeys(guest, memballoon.address),
  });
}
