import { SvirtError } from "../../errors.ts";
import { type Call, operand } from "../command.ts";
import { parseWhole } from "./whole-number.ts";

/** Numbers have 32 bits. */
const MOST = 2 ** 32 - 1;

/**
 * Parses the number of an I/O thread. Throws "usage" with virsh's message. cmdIOThreadAdd() of libvirt's
 * tools/virsh-domain.c
 */
export function parseIothreadId(call: Call, name: string): number {
  const id = parseWhole(operand(call, name), name, [0, MOST]);
  if (id > 0) return id;
  throw new SvirtError("Invalid IOThread id value: '0'", {
    kind: "usage",
    remedy: "Number I/O threads from 1.",
  });
}
