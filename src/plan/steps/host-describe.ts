import { describeGroup, describeLimits, describeWish } from "../facts/describe-limits.ts";
import { describeSetup, describeTap } from "../facts/describe-tap.ts";
import { bracketed } from "../facts/display-address.ts";
import type { ShareStep } from "./host.ts";

/** Describes the step in one line. */
export function describeShare(step: ShareStep): string {
  switch (step.do) {
    case "hand-tap":
      return `hand QEMU ${describeTap(step.tap)}`;
    case "take-tap":
      return `take back ${step.descriptors.join(", ")}, if no netdev has them`;
    case "hand-display":
      return `hand QEMU a socket for its screen, on ${bracketed(step.display.address)}:${step.display.port}`;
    case "set-up-tap":
      return describeSetup(step.setup);
    case "remove-tap":
      return `remove tap ${step.name} if it is still there (it goes with QEMU's last descriptor of it)`;
    case "make-macvtap": {
      const { lower, mac, mode, name } = step.link;
      return `make macvtap ${name} on ${lower}: ${mode}, MAC ${mac}, up`;
    }
    case "remove-macvtap":
      return `remove macvtap ${step.name}`;
    case "make-group":
      return describeGroup(step.group);
    case "remove-group":
      return `remove control group ${step.path}`;
    case "tune-threads":
      return `run ${step.wishes.map(describeWish).join(", ")}`;
    case "set-limits":
      return `set ${describeLimits(step)}`;
  }
}
