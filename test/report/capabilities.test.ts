import { describe, expect, test } from "bun:test";
import { formatCapabilities, getCapabilities } from "../../src/report/capabilities.ts";
import { runOn } from "../cli/in-memory.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, nodeOn, putText } from "../scenes/scene.ts";
import { faultsBy, LACK } from "./schema.ts";

// Forms: formatcaps.html of libvirt and virCapabilitiesFormatXML(); facts: proc_cpuinfo(5), sysfs of Linux.

const CPU = "/sys/devices/system/cpu";
const NODE = "/sys/devices/system/node";
const MACHINES = [
  { name: "microvm", isDefault: false, mostCpus: 288 },
  { name: "pc-q35-10.0", alias: "q35", isDefault: false, mostCpus: 4096 },
  { name: "pc-i440fx-10.0", alias: "pc", isDefault: true, mostCpus: 255 },
];

function makeHost(): Machine {
  const machine = makeMachine();
  putText(machine, "/sys/class/dmi/id/product_uuid", "A25C794C-34AD-11B2-A85C-B030533115B8\n");
  putText(machine, `${CPU}/present`, "0-1\n");
  putText(machine, `${CPU}/online`, "0-1\n");
  for (const cpu of [0, 1]) {
    const topology = {
      physical_package_id: "0",
      die_id: "0",
      cluster_id: "-1",
      core_id: "3",
      thread_siblings_list: "0-1",
    };
    for (const [name, value] of Object.entries(topology))
      putText(machine, `${CPU}/cpu${cpu}/topology/${name}`, `${value}\n`);
  }
  putText(machine, `${NODE}/node0/cpulist`, "0-1\n");
  putText(machine, `${NODE}/node0/distance`, "10\n");
  putText(machine, `${NODE}/node0/meminfo`, "Node 0 MemTotal:       16000 kB\n");
  putText(machine, `${NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages`, "2\n");
  machine.files.putFolder("/sys/kernel/mm/hugepages/hugepages-2048kB");
  putText(
    machine,
    "/proc/cpuinfo",
    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\nmodel name\t: X\nstepping\t: 12\nmicrocode\t: 0x2d\naddress sizes\t: 39 bits physical, 48 bits virtual\n",
  );
  return machine;
}

const xmlOf = (machine = makeHost()): string =>
  formatCapabilities(getCapabilities(nodeOn(machine).host, MACHINES, undefined));

/** Returns the document without the element of svirt's own, which libvirt's schema does not have. */
const plain = (xml: string): string => xml.replace(/^ *<svirt:policy .*\/>\n/m, "");

describe("svirt capabilities", () => {
  test("has the host's UUID, processor, memory and places of processors", () => {
    expect(xmlOf()).toContain(`  <host>
    <uuid>a25c794c-34ad-11b2-a85c-b030533115b8</uuid>
    <cpu>
      <arch>x86_64</arch>
      <vendor>Intel</vendor>
      <microcode version='45'/>
      <signature family='6' model='142' stepping='12'/>
      <topology sockets='1' dies='1' clusters='1' cores='1' threads='2'/>
      <maxphysaddr mode='emulate' bits='39'/>
      <pages unit='KiB' size='4'/>
      <pages unit='KiB' size='2048'/>
    </cpu>
    <power_management/>
    <iommu support='no'/>
    <topology>
      <cells num='1'>
        <cell id='0'>
          <memory unit='KiB'>16000</memory>
          <pages unit='KiB' size='4'>2976</pages>
          <pages unit='KiB' size='2048'>2</pages>
          <distances>
            <sibling id='0' value='10'/>
          </distances>
          <cpus num='2'>
            <cpu id='0' socket_id='0' die_id='0' cluster_id='0' core_id='3' siblings='0-1'/>
            <cpu id='1' socket_id='0' die_id='0' cluster_id='0' core_id='3' siblings='0-1'/>
          </cpus>
        </cell>
      </cells>
    </topology>
    <secmodel>
      <model>selinux</model>
`);
  });

  test("has the machine types that svirt starts, and the features by which virt-install writes <acpi/>", () => {
    expect(xmlOf()).toContain(`      <machine maxCpus='255'>pc-i440fx-10.0</machine>
      <machine canonical='pc-i440fx-10.0' maxCpus='255'>pc</machine>
      <machine maxCpus='4096'>pc-q35-10.0</machine>
      <machine canonical='pc-q35-10.0' maxCpus='4096'>q35</machine>
      <domain type='qemu'/>
`);
    expect(xmlOf()).toContain("<acpi default='on' toggle='yes'/>\n      <apic default='on' toggle='no'/>");
    expect(xmlOf()).not.toContain("microvm");
  });

  test("has the loaded policy, in a namespace of svirt's, and in JSON", async () => {
    expect(xmlOf()).toContain(
      "    <svirt:policy xmlns:svirt='urn:svirt:capabilities:1.0' type='svirt' version='33' mls='yes' denyUnknown='yes' mode='enforcing'/>\n  </host>",
    );
    const { out } = await runOn(makeHost(), "capabilities", "--json");
    expect(JSON.parse(out)).toMatchObject({
      uuid: "a25c794c-34ad-11b2-a85c-b030533115b8",
      policy: { name: "svirt", version: 33, isMls: true, mode: "enforcing" },
    });
  });

  test("has the model of the processor and its further features, where libvirt has them", () => {
    const { host } = nodeOn(makeHost());
    const xml = formatCapabilities(
      getCapabilities(host, MACHINES, { model: "EPYC", features: ["aes", "lahf_lm"] }),
    );
    expect(xml).toContain(
      "      <arch>x86_64</arch>\n      <model>EPYC</model>\n      <vendor>Intel</vendor>\n",
    );
    expect(xml).toContain(
      "bits='39'/>\n      <feature name='aes'/>\n      <feature name='lahf_lm'/>\n      <pages unit='KiB' size='4'/>\n",
    );
    // The schema of a host's features has no name with a point, though libvirt has some: sse4.2.
    if (LACK === "") expect(faultsBy("capability.rng", plain(xml))).toBe("");
  });

  test("keeps to one UUID on a host whose board has none", () => {
    const machine = makeHost();
    putText(machine, "/sys/class/dmi/id/product_uuid", "ffffffff-ffff-ffff-ffff-ffffffffffff\n");
    const uuid = /<uuid>(.*)<\/uuid>/.exec(xmlOf(machine))?.[1];
    expect(uuid?.replaceAll("-", "")).toBe(nodeOn(machine).host.getMachine().id);
  });

  test.skipIf(LACK !== "")(`is valid by libvirt's schema, but for svirt's own element${LACK}`, () => {
    expect(faultsBy("capability.rng", plain(xmlOf()))).toBe("");
    expect(
      faultsBy(
        "capability.rng",
        plain(formatCapabilities(getCapabilities(nodeOn(makeMachine()).host, undefined, undefined))),
      ),
    ).toBe("");
  });
});
