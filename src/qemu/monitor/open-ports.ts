import * as v from "valibot";
import { parseAnswer } from "./parse-answer.ts";

// qemu.git qapi/char.json ChardevInfo
const chardevs = v.array(v.looseObject({ label: v.string(), "frontend-open": v.boolean() }));

/**
 * Parses the answer of query-chardev: whether the guest has opened each port, by device id. Throws "failed".
 * qemuMonitorJSONQueryChardev() of libvirt
 */
export function parseOpenPorts(answer: unknown): ReadonlyMap<string, boolean> {
  return new Map(
    parseAnswer(chardevs, answer, "query-chardev").map((found) => [
      found.label.replace(/^char/, ""),
      found["frontend-open"],
    ]),
  );
}
