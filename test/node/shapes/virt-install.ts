import { uuidOf } from "../harness/names.ts";

/** Options of virt-install(1). */
interface InstallOptions {
  readonly name: string;
  /** Whole elements, the console included, in the order in which virt-install writes them. */
  readonly devices?: readonly string[];
  /** Elements inside `<os>`, after the type. */
  readonly os?: readonly string[];
  /** Elements before `<vcpu>`, such as `<memoryBacking>`. */
  readonly beside?: readonly string[];
}

/** Formats the disk of `--disk PATH[,device=cdrom]`. */
export function diskXml(
  path: string,
  format: string,
  { device = "disk", target = "vda" }: { readonly device?: string; readonly target?: string } = {},
): string {
  return `<disk type="file" device="${device}">
      <driver name="qemu" type="${format}"/>
      <source file="${path}"/>
      <target dev="${target}" bus="${device === "disk" ? "virtio" : "sata"}"/>
      ${device === "disk" ? "" : "<readonly/>"}
    </disk>`;
}

/**
 * Formats a domain as `virt-install --osinfo debian12 --memory 64 --print-xml` of virt-manager 5.0 does. It
 * has double quotes, fourteen root ports and the defaults of that system.
 */
export function virtInstall({
  beside = [],
  devices = [],
  name,
  os = ['<boot dev="hd"/>'],
}: InstallOptions): string {
  return `<domain type="kvm">
  <name>${name}</name>
  <uuid>${uuidOf(name)}</uuid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory>65536</memory>
  <currentMemory>65536</currentMemory>
  ${beside.join("\n  ")}
  <vcpu>1</vcpu>
  <os>
    <type arch="x86_64" machine="q35">hvm</type>
    ${os.join("\n    ")}
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <cpu mode="host-passthrough"/>
  <clock offset="utc">
    <timer name="rtc" tickpolicy="catchup"/>
    <timer name="pit" tickpolicy="delay"/>
    <timer name="hpet" present="no"/>
  </clock>
  <pm>
    <suspend-to-mem enabled="no"/>
    <suspend-to-disk enabled="no"/>
  </pm>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type="usb" model="qemu-xhci" ports="15"/>
    <controller type="pci" model="pcie-root"/>
    ${'<controller type="pci" model="pcie-root-port"/>\n    '.repeat(14)}${devices.join("\n    ")}
    <memballoon model="virtio"/>
  </devices>
</domain>
`;
}
