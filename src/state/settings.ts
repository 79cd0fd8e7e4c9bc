import { SvirtError } from "../errors.ts";
import type { Instance } from "./instance.ts";

// Rule: An unconfined guest needs the administrator's permission in the settings.

/** Settings of an administrator in `/etc/svirt/svirt.conf`, with qemu.conf's names and syntax. */
export interface Settings {
  /**
   * Whether every guest must be confined, regardless of its XML. The default is stricter than qemu.conf's.
   */
  readonly requireConfined: boolean;
}

const LINE = /^([a-z_]+)\s*=\s*(\d+|"[^"]*")\s*(?:#.*)?$/;

/** Reads the settings. Throws "usage" for an unknown line: a silently ignored setting is a hole. */
export function readSettings(instance: Instance): Settings {
  const path = `${instance.paths.config}/svirt.conf`;
  const text = instance.host.readText(path) ?? "";
  const values = new Map<string, string>();
  for (const [at, line] of text
    .split("\n")
    .map((each) => each.trim())
    .entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = LINE.exec(line);
    const [, key = "", value = ""] = match ?? [];
    if (key !== "security_require_confined" || (value !== "0" && value !== "1")) {
      throw new SvirtError(`Cannot read ${path}: line ${at + 1} has an unknown setting`, {
        kind: "usage",
        remedy: "Write only: security_require_confined = 0 or 1",
      });
    }
    values.set(key, value);
  }
  return { requireConfined: values.get("security_require_confined") !== "0" };
}
