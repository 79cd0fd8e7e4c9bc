import type { Domain } from "../../domain/domain.ts";
import { listResources } from "../../domain/resources.ts";
import type { Unready } from "./unready.ts";

/** Paths that QEMU would open by itself, which its user may not: svirt hands over no descriptor of them yet. */
export function listUnreadyPaths(domain: Domain): readonly Unready[] {
  return listResources(domain).flatMap((resource) =>
    resource.kind === "unopened"
      ? [
          {
            place: resource.place,
            missing: `open ${resource.path} for a guest`,
            remedy: "Leave the device out.",
          },
        ]
      : [],
  );
}
