import { uuidOf } from "../domain/forms/uuid.ts";
import { unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";

/** UUID of a board without a UUID: all bytes are equal. virUUIDIsValid() of libvirt */
const NONE = /^(..)\1*$/;

/**
 * Returns the UUID by which clients distinguish hosts: the board's, or the UUID of the machine's id, kept by
 * svirt. Only root may read the board's. virGetHostUUID() of libvirt makes a new UUID at each start of the
 * daemon instead
 */
export function getHostUuid(host: Host): string {
  const board = uuidOf((unlessRefused(() => host.readText("/sys/class/dmi/id/product_uuid")) ?? "").trim());
  if (board !== undefined && !NONE.test(board.replaceAll("-", ""))) return board;
  return uuidOf(host.getMachine().id) ?? host.getMachine().id;
}
