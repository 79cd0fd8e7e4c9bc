import * as v from "valibot";
import { parseAnswer } from "./parse-answer.ts";

// qemu.git qapi/char.json ChardevInfo
const chardevs = v.array(v.looseObject({ label: v.string(), "frontend-open": v.boolean() }));

/**
 * Whether the guest has each port open, by the device's id; from the answer of query-chardev. Throws "failed".
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
