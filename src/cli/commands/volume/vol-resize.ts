import { SvirtError } from "../../../errors.ts";
import { planResize, resizeVolume } from "../../../vm/volume/resize-volume.ts";
import { type Call, type Command, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { sizeOf } from "../../volume-options.ts";

/** `svirt vol-resize VOLUME CAPACITY` */
export const command: Command = {
  spec: {
    name: "vol-resize",
    summary: "change the capacity of a raw or qcow2 volume not used by a guest",
    details:
      "Sizes are bytes, or have a unit: 10G, 512MiB. Refuses to shrink a volume named by a definition or below another\n" +
      "volume. Refuses a qcow2 volume with data behind the new end, internal snapshots, bitmaps, encryption or a data file.",
    operands: [VOLUME_OPERAND, { name: "capacity", summary: "new size of the volume" }],
    options: [
      OF_POOL_OPTION,
      { name: "allocate", summary: "allocate disk space for all of a raw volume" },
      { name: "delta", summary: "add the capacity to the current capacity, or subtract it with --shrink" },
      { name: "shrink", summary: "permit a capacity smaller than the current capacity" },
    ],
  },
  plan: async (call) => await planResize(call.instance, volumeOf(call), resizeOf(call)),
  async run(call) {
    const { capacity, isDelta } = capacityOf(call);
    const name = await resizeVolume(call.instance, volumeOf(call), resizeOf(call));
    const how = isDelta ? "by" : "to";
    call.output.print(`Size of volume '${oneLine(name)}' successfully changed ${how} ${capacity}\n\n`);
    return undefined;
  },
};

function volumeOf(call: Call): Parameters<typeof planResize>[1] {
  return { key: operand(call, "vol"), pool: call.options.get("pool") };
}

function resizeOf(call: Call): Parameters<typeof planResize>[2] {
  const { capacity, isDelta } = capacityOf(call);
  return {
    capacityBytes: sizeOf(capacity),
    isDelta,
    isShrunk: call.options.has("shrink"),
    isAllocated: call.options.has("allocate"),
  };
}

/** A negative capacity is subtracted. cmdVolResize() of libvirt's tools/virsh-volume.c */
function capacityOf(call: Call): { readonly capacity: string; readonly isDelta: boolean } {
  const capacity = operand(call, "capacity").trimStart();
  if (!capacity.startsWith("-")) return { capacity, isDelta: call.options.has("delta") };
  if (call.options.has("shrink")) return { capacity: capacity.slice(1), isDelta: true };
  throw new SvirtError("negative size requires --shrink", { kind: "usage", remedy: "Add --shrink." });
}
