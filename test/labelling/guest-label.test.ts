import { describe, expect, test } from "bun:test";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import {
  type DomainOptions,
  diskXml,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  orderOf,
  putNode,
  putText,
  staticLabel,
} from "../scenes/scene.ts";

// Types in the order of the node's own policy. image/policy/contexts
const TYPES = ["svirt_t", "svirt_tcg_t", "svirt_net_t", "svirt_tcg_net_t"];
const USB_TYPES = TYPES.map((type) => type.replace(/_t$/, "_usb_t"));

const IMAGE = "/var/lib/images/private1.raw";

function machineWithUsb(): Machine {
  const machine = makeMachine();
  const lines = [...TYPES, ...USB_TYPES].map((type) => `system_u:system_r:${type}:s0\n`);
  putText(machine, "/etc/selinux/svirt/contexts/virtual_domain_context", lines.join(""));
  putNode(machine, "/dev/bus/usb/001/002", { node: "189:1", type: "usb_device_t" });
  const fields = { idVendor: "0627", idProduct: "0001", busnum: "1", devnum: "2", dev: "189:1" };
  for (const [field, text] of Object.entries(fields)) {
    putText(machine, `/sys/bus/usb/devices/1-1/${field}`, `${text}\n`);
  }
  return machine;
}

async function typeOf(machine: Machine, options: DomainOptions): Promise<string | undefined> {
  await startDomain(nodeOn(machine), domainXml(options));
  return orderOf(machine).context?.split(":")[2];
}

const USB =
  "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>";

describe("the type of a guest's process", () => {
  test.each([
    ["KVM", { type: "kvm" }, "svirt_t"],
    ["emulation", { type: "qemu" }, "svirt_tcg_t"],
    ["KVM and a USB device of the host", { type: "kvm", devices: USB }, "svirt_usb_t"],
    ["emulation and a USB device of the host", { type: "qemu", devices: USB }, "svirt_tcg_usb_t"],
    [
      "a USB device that is missing at this start, and may come later",
      {
        type: "kvm",
        devices: USB.replace("<source>", "<source startupPolicy='optional'>").replace("0x0001", "0x0002"),
      },
      "svirt_usb_t",
    ],
  ] as const)("with %s", async (_, options, type) => {
    expect(await typeOf(machineWithUsb(), options)).toBe(type);
  });
});

describe("a label that the loaded policy does not know", () => {
  const DISKS = diskXml("/var/lib/images/private1.raw", "vda");

  test("of the guest's images is refused, too, and nothing is changed", async () => {
    const machine = makeMachine();
    machine.knowsContext = (context) => !context.includes("svirt_image_t");
    const error = await failedStart(machine, { disks: DISKS });
    expect(error.kind).toBe("denied");
    expect(error.message).toStartWith("XML error: Invalid security label system_u:object_r:svirt_image_t:");
  });

  test("of images is of no account to a guest that labels none", async () => {
    const machine = makeMachine();
    machine.knowsContext = (context) => !context.includes("svirt_image_t");
    const options = { disks: DISKS, seclabel: staticLabel("s0:c3,c4", "no") };
    expect(await typeOf(machine, options)).toBe("svirt_t");
  });
});

test.each(["", "<shareable/>"])(
  "a file that is one disk to write (%p) and another to read is refused",
  async (way) => {
    const machine = makeMachine();
    const options = {
      disks:
        diskXml("/var/lib/images/private1.raw", "vda", way) +
        diskXml("/var/lib/images/private1.raw", "vdb", "<readonly/>"),
    };
    const error = await failedStart(machine, options);
    expect(error.kind).toBe("in-use");
    expect(error.message).toBe(
      "Cannot label /var/lib/images/private1.raw: the domain uses that file in two ways that require different labels",
    );
  },
);

// Only one of the uses is exclusive: the claim would depend on their order.
test.each([
  ["shared", "<shareable/>", "<seclabel relabel='no'/>"],
  ["read", "<readonly/>", "<seclabel relabel='no'/>"],
  [
    "shared",
    "<shareable/>",
    "<seclabel relabel='yes'><label>system_u:object_r:svirt_image_t:s0:c9,c10</label></seclabel>",
  ],
])(
  "a file that is one disk alone and another to be %s is refused with one label, too: %s %s",
  async (_, way, seclabel) => {
    for (const isFirst of [true, false]) {
      const disk = (target: string, more: string): string =>
        diskXml(IMAGE, target, more).replace(/(<source [^>]*[^/])\/>/, `$1>${seclabel}</source>`);
      const disks = disk("vda", isFirst ? way : "") + disk("vdb", isFirst ? "" : way);
      expect(disks.split(seclabel)).toHaveLength(3);
      const error = await failedStart(makeMachine(), { disks });
      expect([error.kind, error.message]).toEqual([
        "in-use",
        `Cannot label ${IMAGE}: the domain uses that file in two ways that require different labels`,
      ]);
    }
  },
);

// https://libvirt.org/formatdomain.html#security-label: the default of relabel is "no" for static.
test("a static label changes no label of a file unless that is wanted", async () => {
  const imageOf = async (relabel: string): Promise<string | undefined> => {
    const machine = makeMachine();
    const seclabel = `<seclabel type='static' model='selinux'${relabel}><label>system_u:system_r:svirt_t:s0:c1,c2</label></seclabel>`;
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(IMAGE, "vda"), lifecycle: seclabel }));
    return labelOf(machine, IMAGE);
  };
  expect([await imageOf(""), await imageOf(" relabel='no'")]).toEqual([ORIGINAL, ORIGINAL]);
  expect(await imageOf(" relabel='yes'")).toBe("system_u:object_r:svirt_image_t:s0:c1,c2");
});
