import type { Mount } from "../../mounts.ts";
import { readText } from "../files/quick-files.ts";
import { parseMounts } from "./parse-mounts.ts";

/** Implements MountHost.listMounts. */
export function listMounts(): readonly Mount[] {
  return parseMounts(readText("/proc/self/mountinfo") ?? "");
}
