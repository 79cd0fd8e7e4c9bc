import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";
import type { Finding } from "./finding.ts";

/** Checks the confinement of an ordinary user's guests, and the user's access to KVM. */
export function checkSession(host: Host, paths: Paths): Finding[] {
  return [checkProtection(host, paths), ...checkUsersKvm(host)];
}

const CHECK = "your guests";

/** Checks confinement. The guests run as their user, so only SELinux restricts them. */
function checkProtection(host: Host, paths: Paths): Finding {
  const { mode } = host.getSelinux();
  const isOwnDomain = host.getOwnContext()?.includes(":svirt_manager_t") === true;
  if (mode === "disabled" || !isOwnDomain) {
    return {
      check: CHECK,
      verdict: "failed",
      is: "cannot be confined, so a guest starts only if you allow it to have all your rights",
      remedy:
        (mode === "disabled"
          ? "Boot with SELinux."
          : "Have your login mapped to unconfined_u, from which svirt's policy enters svirt_manager_t.") +
        ` Or write <seclabel type='none'/> in the guest's XML and security_require_confined = 0 in ${configOf(paths)}.`,
    };
  }
  if (mode === "permissive") {
    const is = "have all your rights: they run as your user, and SELinux does not enforce";
    return { check: CHECK, verdict: "warning", is, remedy: "Have root run: setenforce 1" };
  }
  const is =
    "confined by SELinux, each at its own level: a guest cannot access files of other guests or your other files. They run as " +
    "your user, so only SELinux separates them";
  return { check: CHECK, verdict: "ok", is, remedy: undefined };
}

function configOf(paths: Paths): string {
  try {
    return `${paths.config}/svirt.conf`;
  } catch {
    return "~/.config/svirt/svirt.conf";
  }
}

function checkUsersKvm(host: Host): Finding[] {
  const kvm = host.inspectFile("/dev/kvm");
  if (kvm === undefined) return [];
  if (host.mayOpen(kvm.id))
    return [{ check: "access to KVM", verdict: "ok", is: "you may open /dev/kvm", remedy: undefined }];
  const remedy = "Have root run usermod -aG kvm YOU, and log in again; or write <domain type='qemu'>.";
  return [{ check: "access to KVM", verdict: "warning", is: "you may not open /dev/kvm", remedy }];
}
