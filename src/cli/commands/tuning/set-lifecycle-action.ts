import { SvirtError } from "../../../errors.ts";
import {
  LIFECYCLE_ACTIONS,
  LIFECYCLE_TYPES,
  setLifecycleAction,
} from "../../../vm/tuning/set-lifecycle-action.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt set-lifecycle-action DOMAIN TYPE ACTION` */
export const command: Command = {
  spec: {
    name: "set-lifecycle-action",
    summary: "set what follows a power-off, reboot or crash of a guest",
    operands: [
      DOMAIN_OPERAND,
      { name: "type", summary: "poweroff, reboot or crash" },
      { name: "action", summary: "destroy, restart, or after a crash preserve" },
    ],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const type = wordOf("type", operand(call, "type"), LIFECYCLE_TYPES);
    const action = wordOf("action", operand(call, "action"), LIFECYCLE_ACTIONS);
    printChanged(call, await setLifecycleAction(call.instance, askOf(call), { type, action }), "");
    return undefined;
  },
};

/** cmdSetLifecycleAction() of libvirt's tools/virsh-domain.c */
function wordOf<Word extends string>(what: string, given: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === given);
  if (word !== undefined) return word;
  throw new SvirtError(`Invalid lifecycle ${what} '${given}'.`, {
    kind: "usage",
    remedy: `Write one of: ${words.join(", ")}.`,
  });
}
