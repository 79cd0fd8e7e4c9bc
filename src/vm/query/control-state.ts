import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { getGuestState, silenceOf } from "./guest-state.ts";

/** Whether QEMU takes commands: it does, another svirt uses its monitor, or it does not answer. */
export type ControlState = "ok" | "occupied" | "error";

/**
 * Returns whether a running guest's QEMU takes commands. Throws "wrong-state". virDomainGetControlInfo() of
 * libvirt
 */
export async function getControlState(instance: Instance, key: string): Promise<ControlState> {
  switch (silenceOf(await getGuestState(instance, findRunning(instance, key).guest))) {
    case undefined:
      return "ok";
    case "busy":
      return "occupied";
    case "no answer":
      return "error";
  }
}
