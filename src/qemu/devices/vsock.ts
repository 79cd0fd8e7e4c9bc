import type { Vsock } from "../../domain/devices/vsock.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { hostDependent } from "../refusal.ts";

/**
 * -device for vsock. vhostfd is a placeholder, since a start refuses vsock. qemuBuildVsockCommandLine() of
 * libvirt
 */
export function formatVsock(guest: Guest, launch: Launch | undefined): Arguments {
  const { vsock } = guest.devices;
  if (vsock === undefined) return [];
  const { address, auto } = vsock.cid;
  if (address === undefined || auto === true) {
    const why = "its CID is known only at a start";
    throw hostDependent("/domain/devices/vsock/cid", why, "Write auto='no' and an address.");
  }
  return jsonArguments("-device", {
    driver: virtioDriver("vhost-vsock", vsock.model),
    ...virtioKeys(vsock.driver),
    id: vsock.alias ?? "vsock0",
    "guest-cid": address,
    vhostfd: String(launch?.monitorFd ?? 3),
    ...pciKeys(guest, vsock.address),
  });
}

/** Sets the default model of a vsock, and `auto` if it has no CID. virDomainVsockDefPostParse() of libvirt */
export function fillVsock(vsock: Vsock): Vsock {
  const { cid, model = "virtio" } = vsock;
  return { ...vsock, model, cid: { ...cid, auto: cid.auto ?? cid.address === undefined } };
}
