import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";
import { ClaimRegistry } from "../registry/claims.ts";

/** One instance of svirt on one host: what every use case is given. */
export interface Node {
  readonly host: Host;
  readonly paths: Paths;
  /** Called by `svirt shell`, for a key that may do nothing else: it may write only where guests may. */
  readonly isForKey?: true;
  /** Tells this svirt from one of other sources. Without it nothing is kept that only the same svirt understands. */
  readonly build?: string;
}

/** Whether it is that of an ordinary user, who has only his own rights: libvirt's qemu:///session. */
export function isSession({ paths }: Pick<Node, "paths">): boolean {
  return paths.instance === "session";
}

/** Who holds what on this node. */
export function registryOf(node: Node): ClaimRegistry {
  return new ClaimRegistry(node.host, node.paths.state);
}
