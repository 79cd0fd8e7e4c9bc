import { expect, test } from "bun:test";
import { accessSync, constants } from "node:fs";
import { getKvmVcpuLimit } from "../../../../src/host/linux/system/kvm.ts";

/** KVM_CHECK_EXTENSION of KVM_CAP_MAX_VCPUS, by another program. linux/kvm.h */
const PYTHON = "import fcntl,os; print(fcntl.ioctl(os.open('/dev/kvm', os.O_RDONLY), 0xae03, 66))";

function canAsk(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK);
    return Bun.which("python3") !== null;
  } catch {
    return false;
  }
}

const ASIDE = canAsk() ? "" : " (skipped: needs /dev/kvm and python3)";

test.skipIf(ASIDE !== "")(`the limit of virtual CPUs is the one that KVM answers${ASIDE}`, () => {
  const asked = Bun.spawnSync(["python3", "-c", PYTHON]).stdout.toString();
  expect(getKvmVcpuLimit()).toBe(Number(asked));
  expect(getKvmVcpuLimit()).toBeGreaterThan(0);
});
