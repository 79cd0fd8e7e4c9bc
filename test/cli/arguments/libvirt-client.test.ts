import { describe, expect, test } from "bun:test";
import { parseHelperCall } from "../../../src/cli/arguments/libvirt-client.ts";

/** Netcat's part of the command of virsh 11.3.0. */
const NETCAT = `if 'nc' -q 2>&1 | grep "requires an argument" >/dev/null 2>&1; then ARG=-q0;else ARG=;fi;'nc' $ARG -U /var/run/libvirt/libvirt-sock`;
const PROBE = "which virt-ssh-helper 1>/dev/null 2>&1; if test $? = 0; then";

// Recorded: the last argument of ssh, as virsh 11.3.0 passes it for these URIs. libvirt's
// tests/virnetsockettest.c has them too.
const RECORDED: readonly (readonly [string, string, string, boolean])[] = [
  [
    "qemu+ssh://NODE/system",
    `sh -c '${PROBE}     virt-ssh-helper 'qemu:///system'; else    ${NETCAT}; fi'`,
    ...(["qemu:///system", false] as const),
  ],
  [
    "the same with virsh -r",
    `sh -c '${PROBE}     virt-ssh-helper -r 'qemu:///system'; else    ${NETCAT}-ro; fi'`,
    ...(["qemu:///system", true] as const),
  ],
  [
    "qemu+ssh://NODE/system?proxy=native",
    "sh -c 'virt-ssh-helper 'qemu:///system''",
    ...(["qemu:///system", false] as const),
  ],
  [
    "qemu+ssh://NODE/system?mode=legacy",
    String.raw`sh -c '${PROBE}     virt-ssh-helper '''\''qemu:///system?mode=legacy'\''''; else    ${NETCAT}; fi'`,
    ...(["qemu:///system?mode=legacy", false] as const),
  ],
  [
    "remote+ssh://NODE/",
    String.raw`sh -c '${PROBE}     virt-ssh-helper '''\'''\''''; else    ${NETCAT}; fi'`,
    ...(["", false] as const),
  ],
  // internal/libvirt/dialers of terraform-provider-libvirt
  [
    "qemu+sshcmd://NODE/system of Terraform's provider",
    `sh -c '${PROBE} virt-ssh-helper "qemu:///system"; else if "nc" -q 2>&1 | grep "requires an argument" >/dev/null 2>&1; then ARG=-q0; else ARG=; fi; "nc" $ARG -U /run/libvirt/libvirt-sock; fi'`,
    ...(["qemu:///system", false] as const),
  ],
  [
    "the same with proxy=native",
    `sh -c 'virt-ssh-helper "qemu:///system"'`,
    ...(["qemu:///system", false] as const),
  ],
  ["the program alone", "virt-ssh-helper 'qemu:///system'", "qemu:///system", false],
];

describe("parseHelperCall()", () => {
  test.each(RECORDED)("reads the command for %s", (...[, asked, uri, isForReading]) => {
    expect(parseHelperCall(asked)).toEqual({ uri, isForReading });
  });

  test.each([
    "",
    "virt-ssh-helper",
    "svirt virt-ssh-helper qemu:///system",
    "sh -c 'virt-ssh-helper 'qemu:///system'; id'",
    "sh -c 'id; virt-ssh-helper 'qemu:///system''",
    "sh -c 'virt-ssh-helper $(id)'",
    "/tmp/virt-ssh-helper 'qemu:///system'",
    `sh -c '${PROBE}     virt-ssh-helper 'qemu:///system'; else    nc; fi'; id`,
    `sh -c '${NETCAT}'`,
    "virt-ssh-helper 'qemu:///system'\nid",
  ])("does not read %j", (asked) => {
    expect(parseHelperCall(asked)).toBeUndefined();
  });

  test("needs no more time for a long text that is almost one", () => {
    const long = `sh -c '${PROBE}${" ".repeat(100_000)}virt-ssh-helper 'qemu:///system'; else${" fi".repeat(50_000)}`;
    const start = performance.now();
    expect(parseHelperCall(long)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
