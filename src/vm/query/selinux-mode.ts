import { describePermissive } from "../../report/permissive.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Describes permissive mode, with its cause if that is known; undefined if SELinux is enforcing or disabled.
 */
export function describePermissiveMode({ host }: Instance): string | undefined {
  return host.getSelinuxMode() === "permissive" ? describePermissive(host) : undefined;
}
