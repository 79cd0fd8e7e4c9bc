import type { SelinuxState } from "../../selinux.ts";
import { readText } from "../files/quick-files.ts";

/** Implements Host.getSelinuxMode. selinuxfs exists only if the kernel runs SELinux. */
export function getSelinuxMode(): SelinuxState["mode"] {
  const enforce = readText("/sys/fs/selinux/enforce");
  if (enforce === undefined) return "disabled";
  return enforce.trim() === "1" ? "enforcing" : "permissive";
}
