import { SvirtError } from "../../../errors.ts";
import type { WipeMethod } from "../../../host/files.ts";
import { planWipe, wipeVolume } from "../../../vm/volume/content/wipe-volume.ts";
import { type Call, type Command, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** Algorithms of libvirt with patterns by the program scrub. virStorageVolWipeAlgorithm */
const PATTERNS: ReadonlySet<string> = new Set(
  "nnsa dod bsi gutmann schneier pfitzner7 pfitzner33 random".split(" "),
);

/** `svirt vol-wipe VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-wipe",
    summary: "replace all data of a volume by zeros",
    details:
      "A qcow2 image is no image afterwards. Refuses a volume used by a guest or named by a definition, and a volume below another\n" +
      "volume or a definition's disk. A copy of the old data in the file system or the disk is not overwritten.",
    operands: [VOLUME_OPERAND],
    options: [
      OF_POOL_OPTION,
      {
        name: "algorithm",
        value: "NAME",
        summary: "zero, the default, keeps the disk space; trim frees it",
      },
    ],
  },
  plan: async (call) => await planWipe(call.instance, ...askedOf(call)),
  async run(call) {
    await wipeVolume(call.instance, ...askedOf(call));
    call.output.print(`Vol ${oneLine(operand(call, "vol"))} wiped\n\n`);
    return undefined;
  },
};

function askedOf(call: Call): readonly [Parameters<typeof planWipe>[1], WipeMethod] {
  const volume = { key: operand(call, "vol"), pool: call.options.get("pool") };
  return [volume, methodOf(call.options.get("algorithm") ?? "zero")];
}

/**
 * Returns the method with that name. Throws "unsupported" for others of libvirt, "usage" with virsh's
 * message.
 */
function methodOf(word: string): WipeMethod {
  if (word === "zero" || word === "trim") return word;
  throw PATTERNS.has(word) ? notSupported(word) : notKnown(word);
}

const REMEDY = "Write --algorithm zero or --algorithm trim.";

function notSupported(word: string): SvirtError {
  return new SvirtError(`argument unsupported: '${word}' algorithm not supported`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: REMEDY,
  });
}

function notKnown(word: string): SvirtError {
  return new SvirtError(`Unsupported algorithm '${word}'`, { kind: "usage", remedy: REMEDY });
}
