import { SvirtError } from "../../../errors.ts";
import { CAPABILITY_NAMES, listDevices } from "../../../vm/node-device/node-devices.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatTree } from "../../output/tree.ts";

/** `svirt nodedev-list` */
export const command: Command = {
  spec: {
    name: "nodedev-list",
    summary: "list the devices of the host",
    recovery: "none",
    operands: [],
    options: [
      { name: "tree", summary: "as a tree: each device below its parent device" },
      {
        name: "cap",
        value: "CAPABILITIES",
        summary: "only devices with one of these, separated by commas: pci,net",
      },
      JSON_OPTION,
    ],
  },
  run(call) {
    onlyOne(call, ["tree", "cap"]);
    const devices = listDevices(call.instance, parseCapabilities(call.options.get("cap")));
    if (call.options.has("json")) printJson(call, devices);
    else if (call.options.has("tree")) call.output.print(formatTree(devices));
    else call.output.print(devices.map(({ name }) => `${name}\n`).join(""));
    return Promise.resolve(undefined);
  },
};

/** Throws "usage" for a name unknown to libvirt. */
function parseCapabilities(text: string | undefined): ReadonlySet<string> | undefined {
  const names = text?.split(",");
  const unknown = names?.find((name) => !CAPABILITY_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new SvirtError(`Cannot list devices: invalid capability type '${unknown}'`, {
      kind: "usage",
      remedy: `Name one of ${CAPABILITY_NAMES.join(", ")}.`,
    });
  }
  return names === undefined ? undefined : new Set(names);
}
