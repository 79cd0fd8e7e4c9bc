import { SvirtError } from "../../errors.ts";
import { tapsOf } from "../../plan/record/released-resources.ts";
import type { Step } from "../../plan/steps/step.ts";
import { listGuestProcesses } from "../../run/process/kill-guest.ts";
import type { Instance } from "../../state/instance.ts";
import { type IdentifiedGuest, identityOf } from "../../state/record.ts";

// Rule: A filtered tap has no header by which the host would write checksums.

const VHOST = "/dev/vhost-net";
const START_AGAIN = "Write <filterref> into the definition, and start the guest again.";

/** Whether a tap of a guest has a packet filter, by the guest's steps. */
export function hasFilter(steps: readonly Step[]): boolean {
  return steps.some((step) => step.do === "set-tap-rules" && "filter" in step.rules);
}

/**
 * Refuses a filter for an open tap whose frames have a header: the header is part of the tap until its end.
 * Throws "unsupported".
 */
export function refuseHeader(steps: readonly Step[], name: string): void {
  const tap = steps.flatMap(tapsOf).findLast((one) => one.name === name);
  if (tap?.hasHeader !== true) return;
  throw new SvirtError(
    `Cannot filter the frames of the tap ${name}: the guest has it without a filter, so it can have checksums written behind one`,
    { kind: "unsupported", place: "/interface/filterref", remedy: START_AGAIN },
  );
}

/**
 * Refuses a filter for a guest with vhost-net: QEMU could pass any tap to it, and vhost-net takes headers for
 * each. Throws "unsupported". tun_xdp_one() of Linux
 */
export function refuseVhost(
  { host }: Instance,
  guest: IdentifiedGuest & { readonly steps: readonly Step[] },
): void {
  const isPassed = guest.steps.flatMap(tapsOf).some(({ vhosts }) => vhosts.length > 0);
  const isOpen = (): boolean =>
    listGuestProcesses(host, identityOf(guest)).some(({ pid }) =>
      host.listOpenFiles(pid, (target) => target !== VHOST).some(({ target }) => target === VHOST),
    );
  if (!isPassed && !isOpen()) return;
  throw new SvirtError(
    "Cannot filter the frames of the interface: the guest has vhost-net for another one, which can bypass the filter",
    { kind: "unsupported", place: "/interface/filterref", remedy: START_AGAIN },
  );
}
