import { closeSync, constants, openSync } from "node:fs";
import { askDevice } from "../calls/device-call.ts";

/** linux/kvm.h */
const KVM_CHECK_EXTENSION = 0xae03;
const [KVM_CAP_NR_VCPUS, KVM_CAP_MAX_VCPUS] = [9, 66];
/** Number of virtual CPUs if KVM names none. Documentation/virt/kvm/api.rst of Linux */
const FEWEST = 4;

/** Implements Host.getKvmVcpuLimit. virHostCPUGetKVMMaxVCPUs() of libvirt */
export function getKvmVcpuLimit(): number | undefined {
  const fd = openKvm();
  if (fd === undefined) return undefined;
  try {
    const limits = [KVM_CAP_MAX_VCPUS, KVM_CAP_NR_VCPUS].map((extension) =>
      askDevice(fd, KVM_CHECK_EXTENSION, extension),
    );
    return limits.find((limit) => limit > 0) ?? FEWEST;
  } finally {
    closeSync(fd);
  }
}

function openKvm(): number | undefined {
  try {
    return openSync("/dev/kvm", constants.O_RDONLY);
  } catch {
    return undefined;
  }
}
