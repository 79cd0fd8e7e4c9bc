import { nameInRemedy } from "../../xml/refusal.ts";
import { listResources } from "../resources/resources.ts";
import { LEAVE_OUT, once, type UnimplementedRule } from "./rule.ts";

/**
 * Rules for variables of firmware on the network, and for paths to open by name. QEMU's user is not permitted
 * to open them, and svirt does not pass descriptors for them yet.
 */
export const UNIMPLEMENTED_PATHS: readonly UnimplementedRule[] = [
  {
    place: "/domain/os/nvram",
    missing: "store UEFI variables on the network",
    remedy: "Write <nvram type='file'> with <source file='…'/>.",
    findIn: ({ os }) => once(os.nvram?.type === "network"),
  },
  {
    place: "/domain/devices/*",
    missing:
      "open paths of devices other than images, memory, consoles and host devices " +
      "(a render node, a ROM, a script, a virtiofsd, /dev/sev)",
    remedy: "Remove the attribute or element that names the path, or the device.",
    findIn: (domain) =>
      listResources(domain).flatMap((resource) =>
        resource.kind === "unopened"
          ? [
              {
                place: resource.place,
                missing: `open ${resource.path} for a guest`,
                remedy: remedyOf(resource),
              },
            ]
          : [],
      ),
  },
];

function remedyOf({ place, within }: { readonly place: string; readonly within: string }): string {
  return nameInRemedy(LEAVE_OUT, within === "" ? place : `${place}/${within}`);
}
